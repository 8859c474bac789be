#pragma once
/// All wire types that the tables name, and those that only occur inside others or inside records.
#include <map>
#include <string>

#include "protocol/wire/codec.hpp"

const std::map<std::string, const floe::wire::type_info*>& types_under_test();
