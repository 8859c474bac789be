#pragma once
/// libmicrohttpd, loaded when a node serves its metrics and only then. With what it needs itself (TLS, which nobody asks for here)
/// it would be a third of all that every start of the program loads, and commands are started often.
#include <microhttpd.h>

#include <expected>
#include <string>

namespace floe::cli {

/// Its functions, named as there without MHD_.
struct http_library {
  decltype(&MHD_start_daemon) start_daemon;
  decltype(&MHD_stop_daemon) stop_daemon;
  decltype(&MHD_get_daemon_info) get_daemon_info;
  decltype(&MHD_run) run;
  decltype(&MHD_get_timeout) get_timeout;
  decltype(&MHD_lookup_connection_value_n) lookup_connection_value_n;
  decltype(&MHD_suspend_connection) suspend_connection;
  decltype(&MHD_resume_connection) resume_connection;
  decltype(&MHD_create_response_from_buffer) create_response_from_buffer;
  decltype(&MHD_add_response_header) add_response_header;
  decltype(&MHD_queue_response) queue_response;
  decltype(&MHD_destroy_response) destroy_response;
};

/// It stays loaded until the process ends. The error says why it cannot be had.
std::expected<const http_library*, std::string> load_http_library();

}  // namespace floe::cli
