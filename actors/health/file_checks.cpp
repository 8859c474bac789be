#include "actors/health/file_checks.hpp"

#include <filesystem>

namespace floe {
namespace {

constexpr std::chrono::seconds least_time{120};
constexpr std::uint64_t slowest_disk = 2'000'000;  ///< bytes per second

class children final : public file_checks {
 public:
  children(event_loop& loop, std::vector<std::string> command)
      : loop_(loop), command_(std::move(command)) {}
  void check(const std::string& file, std::function<void(file_verdict)> done) override {
    std::error_code error;
    const auto size = std::filesystem::file_size(file, error);
    const auto limit = least_time + std::chrono::seconds(error ? 0 : size / slowest_disk);
    auto verdict = std::make_shared<file_verdict>();
    loop_.offload([verdict, command = command_, file,
                   limit] { *verdict = check_file_in_child(command, file, limit); },
                  [verdict, done = std::move(done)] { done(std::move(*verdict)); });
  }

 private:
  event_loop& loop_;
  std::vector<std::string> command_;
};

}  // namespace

std::unique_ptr<file_checks> child_file_checks(event_loop& loop, std::vector<std::string> command) {
  return std::make_unique<children>(loop, std::move(command));
}

}  // namespace floe
