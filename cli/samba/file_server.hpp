#pragma once
/// Debian's smbd on the nodes of a local cluster, for a demonstration: an smbd for each node, on the node's address and a port
/// of its own choice, with private folders; one folder of files for all. Needs root, as smbd does.
#include <sys/types.h>

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "cli/cluster/layout.hpp"

namespace floe::cli {

/// What of Samba is needed and not here: names of Debian's packages.
std::vector<std::string> missing_samba_packages();

struct finished_program {
  int status = 0;  ///< as a shell has it
  std::string output;
  std::chrono::milliseconds took{};
};

class file_server {
 public:
  file_server(const local_cluster&, std::uint32_t node, std::string library);
  ~file_server();  ///< ends it
  file_server(file_server&&) noexcept;

  /// Writes its configuration and starts it; the error is one line.
  std::expected<void, std::string> start();
  /// SIGKILL to it and all that it has forked.
  void kill();
  bool runs() const { return pid_ > 0; }

  /// A program of Samba's with this server's configuration, by way of the library.
  finished_program run(const std::vector<std::string>& words, const std::string& input = {}) const;
  /// smbclient, which is nobody's server and needs no library.
  finished_program client(const std::string& commands) const;
  /// smbclient that reads a file and never comes to its end, so that the file stays open; its process.
  pid_t keep_open(const std::string& file) const;

 private:
  std::string configuration() const;
  std::vector<std::string> client_words(const std::string& commands) const;

  const local_cluster* cluster_;
  std::uint32_t node_;
  std::string library_;
  pid_t pid_ = -1;
};

}  // namespace floe::cli
