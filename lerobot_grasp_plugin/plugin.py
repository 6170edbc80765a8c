"""What LeRobot's ``--dataset.discover_packages_path=lerobot_grasp_plugin`` is after.

LeRobot imports every module of the package, and with this one the dataset factory learns of
``GraspDataset``. Nothing else in the package imports it.
"""

from lerobot_grasp_plugin.learning.registration import install

install()
