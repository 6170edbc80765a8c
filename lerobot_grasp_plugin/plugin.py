"""What LeRobot's ``--dataset.discover_packages_path=lerobot_grasp_plugin`` is after.

LeRobot imports every module of the package, and with this one the dataset factory learns of
``GraspDataset``, and the registries of robots and teleoperators learn of those this package has.
"""

from lerobot_grasp_plugin.learning.registration import install_dataset
from lerobot_grasp_plugin.robots import config_so101_follower_hil as _follower_hil  # noqa: F401  # registers
from lerobot_grasp_plugin.sim import config_so101_script as _script  # noqa: F401  # registers its type
from lerobot_grasp_plugin.sim import config_so101_sim as _sim  # noqa: F401
from lerobot_grasp_plugin.teleop import config_so101_leader_hil as _leader_hil  # noqa: F401
from lerobot_grasp_plugin.video.chatter import silence_encoders

install_dataset()
silence_encoders()
