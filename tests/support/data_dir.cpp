#include "support/data_dir.hpp"

std::string data_dir() { return SERINUS_DATA_DIR; }
