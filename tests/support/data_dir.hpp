#pragma once
// Where `data/` lies. One source file knows it, so that no other test is compiled anew when the checkout moves.

#include <string>

std::string data_dir();
