#pragma once
/// Samba's libtdb, opened when it is first needed: it is there wherever ctdbd is, and nothing here needs it else.
#include <dlfcn.h>
#include <fmt/format.h>

#include <string>

namespace floe::cli {

class libtdb {
 public:
  libtdb() : handle_(::dlopen("libtdb.so.1", RTLD_NOW | RTLD_LOCAL)) {
    if (!handle_) missing_ = "libtdb.so.1 is not installed; Debian has it in the package libtdb1";
  }
  template <class F>
  void find(const char* name, F& into) {
    if (!handle_) return;
    into = reinterpret_cast<F>(::dlsym(handle_, name));
    if (!into) missing_ = fmt::format("libtdb.so.1 has no {}", name);
  }
  /// Empty: everything that was asked for is there. Else one line.
  const std::string& missing() const { return missing_; }

 private:
  void* handle_;  ///< never closed: its functions are used until the process ends
  std::string missing_;
};

}  // namespace floe::cli
