"""A training that reports itself:  EPOCHCAST_URL=http://localhost:4000/graphql python3 examples/two_lines.py"""

import epochcast  # pip install ./clients/python

run = epochcast.start("slope of a line")

slope = 0.0
for step in range(1, 101):
    slope += 0.05 * (3 - slope)  # your training
    run.log({"loss": (3 - slope) ** 2, "slope": slope}, step=step)
