"""`make bench`: one run that measures everything, and writes it down as JSON, plots and a page.

The homes and processes are those of the scale and PostgreSQL runs, which lie beside this package.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
for beside in ("scale", "postgres"):
    sys.path.append(os.path.join(os.path.dirname(HERE), beside))
