#pragma once
/// Whoever starts a program may have closed what every program expects to be there.
#include <fcntl.h>
#include <unistd.h>

namespace floe::cli {

/// Descriptors 0, 1 and 2 belong to standard input, output and error from here on: else the next file or socket that is opened
/// would be taken for one, and be written into. Input is at its end, output fails and is told about, error is thrown away.
inline void keep_standard_streams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(fd, F_GETFD) < 0)
      (void)::open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY);  // takes the lowest
}

}  // namespace floe::cli
