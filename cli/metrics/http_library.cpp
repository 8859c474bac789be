#include "cli/metrics/http_library.hpp"

#include <dlfcn.h>

namespace floe::cli {
namespace {

/// The one whose header this was compiled with.
constexpr const char* library_file = "libmicrohttpd.so.12";

template <class Function>
bool find(void* library, const char* name, Function& to) {
  to = reinterpret_cast<Function>(::dlsym(library, name));
  return to != nullptr;
}

bool find_all(void* l, http_library& h) {
  return find(l, "MHD_start_daemon", h.start_daemon) && find(l, "MHD_stop_daemon", h.stop_daemon) &&
         find(l, "MHD_get_daemon_info", h.get_daemon_info) && find(l, "MHD_run", h.run) &&
         find(l, "MHD_get_timeout", h.get_timeout) &&
         find(l, "MHD_lookup_connection_value_n", h.lookup_connection_value_n) &&
         find(l, "MHD_suspend_connection", h.suspend_connection) &&
         find(l, "MHD_resume_connection", h.resume_connection) &&
         find(l, "MHD_create_response_from_buffer", h.create_response_from_buffer) &&
         find(l, "MHD_add_response_header", h.add_response_header) &&
         find(l, "MHD_queue_response", h.queue_response) &&
         find(l, "MHD_destroy_response", h.destroy_response);
}

}  // namespace

std::expected<const http_library*, std::string> load_http_library() {
  static http_library loaded;
  void* library = ::dlopen(library_file, RTLD_NOW | RTLD_LOCAL);
  if (library && find_all(library, loaded)) return &loaded;
  const char* why = ::dlerror();
  return std::unexpected(std::string("the HTTP server cannot be loaded: ") +
                         (why ? why : library_file));
}

}  // namespace floe::cli
