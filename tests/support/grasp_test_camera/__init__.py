"""A camera that sees a moving square, registered as another package would.

It makes the Feetech driver patient, too, in the process that loads it.
"""

from tests.support import patient_feetech  # noqa: F401  # acts on import
