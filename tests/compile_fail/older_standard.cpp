// Compiled as C++17: one error that says what is needed, and not the thousand that would follow it.
#include <serinus.hpp>
