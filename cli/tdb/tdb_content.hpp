#pragma once
/// Whole TDB files of a ctdbd that does not run: read, and written, by Samba's libtdb, which is looked for when it is needed
/// (Debian's package libtdb1 is there wherever Samba is). A record in such a file is its header (24 bytes) and its data.
#include <expected>
#include <string>
#include <vector>

#include "protocol/record.hpp"

namespace floe::cli {

/// All records, deleted ones too, after libtdb has checked the file. The error is one line and says which file.
std::expected<std::vector<record>, std::string> read_tdb(const std::string& path);

/// Makes the file, which must not exist, as ctdbd makes those of persistent databases; it is there as a whole or not at all.
std::expected<void, std::string> write_tdb(const std::string& path,
                                           const std::vector<record>& records);

}  // namespace floe::cli
