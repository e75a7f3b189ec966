"""Runs the whole project on one machine: set-up's last steps, the processes, the demo.

It starts programs and talks to them from outside, over HTTP and management commands. It must not
import apps or open the database: what it needs from them, any operator can do by hand.
"""
