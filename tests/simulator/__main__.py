"""`python -m tests.simulator`: the simulated tenant, also of the estates of tests, with an identity that may change it."""

import sys

from keyaudit.simulator.__main__ import main
from tests.simulator.estates import estate
from tests.simulator.writes.served import EVERY_RIGHT, permit

sys.exit(main(estate=estate, writes=permit(EVERY_RIGHT)))
