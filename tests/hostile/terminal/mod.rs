//! Texts from outside that would steer a terminal or a CI runner.
