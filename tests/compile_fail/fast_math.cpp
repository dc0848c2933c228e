// Compiled twice: it must pass as it is and must fail under -ffast-math.
#include <serinus/core/version.hpp>

int main() { return serinus::version()[0] == '0' ? 0 : 1; }
