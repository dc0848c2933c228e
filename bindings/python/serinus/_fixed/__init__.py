"""One look: tests of two samples; a module a matter. `serinus` has their names."""
