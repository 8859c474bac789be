#include "cli/drill/shrink/shrink_drill.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <utility>

#include "cli/drill/run/sweep.hpp"
#include "cli/drill/shrink/reduce.hpp"

namespace floe::cli::drill {
namespace {

constexpr std::size_t few_lines = 12;

class shrinker {
 public:
  shrinker(const script& s, const shrink_options& o, const shrink_progress& p)
      : original_(s),
        options_(o),
        progress_(p),
        seed_(o.seed),
        tries_(o.tries),
        best_(count_of(lines_of(s.body))) {}

  std::expected<shrunk_drill, not_shrunk> run() {
    const auto first = first_run();
    if (interrupted_) return std::unexpected(not_shrunk{true, "interrupted"});
    if (first.held)
      return std::unexpected(not_shrunk{
          false,
          fmt::format("{} holds with seed {}: there is nothing to shrink", original_.name, seed_)});
    wanted_ = kind_of(first);
    reason_ = first.reason;
    story_ = story();
    const auto all = lines_of(original_.body);
    auto start = all;
    // with no blocks, if it fails so, too: then every single turn can go
    const std::vector flat{played_on_nodes(original_, trace_), played_lines(original_, trace_)};
    if (const auto which = still_fails(flat)) start = flat[*which];
    const auto fails = [this](const std::vector<script_lines>& c) { return still_fails(c); };
    auto least = reduce(std::move(start), fails);
    // few lines are quickly played: more seeds are worth trying
    if (count_of(least) <= few_lines) {
      tries_ *= 4;
      known_.clear();
      least = reduce(std::move(least), fails);
    }
    if (!made_smaller_) still_fails({least});  // the same lines, and their numbers in the new text
    if (interrupted_) return std::unexpected(not_shrunk{true, "interrupted"});
    return shrunk_drill{.text = text_with(least, seed_),
                        .seed = seed_,
                        .failed_at = wanted_,
                        .reason = reason_,
                        .reason_before = first.reason,
                        .lines_before = count_of(all),
                        .lines_after = count_of(least),
                        .runs = runs_};
  }

 private:
  /// What must stay as it is. Of a program that broke, how.
  static std::string kind_of(const verdict& v) {
    return v.failed_at.empty() ? v.reason : v.failed_at;
  }

  std::string text_with(const script_lines& lines, std::uint64_t seed) const {
    return story_ + cluster_with_seed(original_.cluster, seed) + "\n" + text_of(lines);
  }

  std::string story() const {
    return fmt::format(
        "# {}\n# Made smaller: what is left still fails as the whole did with seed {}, at\n#   "
        "{}\n",
        original_.title, options_.seed, wanted_);
  }

  void play(const std::vector<planned_run>& runs,
            const std::function<void(const planned_run&, const verdict&)>& done) {
    runs_ += runs.size();
    if (sweep(runs, options_.jobs, done)) interrupted_ = true;
    progress_(best_, runs_);
  }

  verdict first_run() {
    const auto file =
        std::filesystem::temp_directory_path() / fmt::format("floe-shrink-{}.trace", ::getpid());
    verdict v;
    play({{.drill = &original_, .seed = seed_, .trace = file.string()}},
         [&](const planned_run&, const verdict& told) { v = told; });
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) trace_.push_back(line);
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
    return v;
  }

  /// In groups as large as there are processes, so that who is first does not depend on their
  /// number.
  std::optional<std::size_t> still_fails(const std::vector<script_lines>& candidates) {
    const auto group = std::max<std::size_t>(1, options_.jobs / tries_);
    for (std::size_t from = 0; from < candidates.size() && !interrupted_; from += group) {
      const auto found =
          first_that_fails(candidates, from, std::min(candidates.size(), from + group));
      if (!found) continue;
      best_ = std::min(best_, count_of(candidates[*found]));
      return found;
    }
    return std::nullopt;
  }

  std::optional<std::size_t> first_that_fails(const std::vector<script_lines>& candidates,
                                              std::size_t from, std::size_t to) {
    std::deque<script> scripts;
    std::vector<planned_run> runs;
    std::vector<std::size_t> whose;
    for (auto i = from; i < to; ++i) {
      const auto text = text_with(candidates[i], seed_);
      if (known_.contains(text)) continue;
      known_.emplace(text, true);
      auto s = read_script(options_.name.empty() ? original_.name : options_.name, text);
      if (!s || candidates[i].empty()) continue;  // it uses what is not there any more
      scripts.push_back(std::move(*s));
      for (std::uint64_t t = 0; t < tries_; ++t) {
        runs.push_back({.drill = &scripts.back(), .seed = seed_ + t});
        whose.push_back(i);
      }
    }
    if (runs.empty()) return std::nullopt;
    std::vector<std::optional<verdict>> ended(
        runs.size());  // those that a signal has kept from it have none
    play(runs, [&](const planned_run& r, const verdict& v) {
      ended[static_cast<std::size_t>(&r - runs.data())] = v;
    });
    for (std::size_t i = 0; i < runs.size(); ++i) {
      if (!ended[i] || ended[i]->held || kind_of(*ended[i]) != wanted_) continue;
      seed_ = runs[i].seed;
      made_smaller_ = true;
      reason_ = ended[i]->reason;
      known_.clear();  // another seed, perhaps
      return whose[i];
    }
    return std::nullopt;
  }

  const script& original_;
  const shrink_options& options_;
  const shrink_progress& progress_;
  std::uint64_t seed_, tries_;
  std::string wanted_, reason_, story_;
  std::vector<std::string> trace_;
  std::map<std::string, bool> known_;  ///< texts that have been tried
  std::size_t best_, runs_ = 0;
  bool made_smaller_ = false;
  bool interrupted_ = false;  ///< then nothing fails any more, and the work ends
};

}  // namespace

std::expected<shrunk_drill, not_shrunk> shrink(const script& s, const shrink_options& o,
                                               const shrink_progress& p) {
  return shrinker(s, o, p).run();
}

}  // namespace floe::cli::drill
