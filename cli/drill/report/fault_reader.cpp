#include "cli/drill/report/fault_reader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/drill/language/verb.hpp"
#include "cli/drill/run/said.hpp"
#include "cli/duration_text.hpp"
#include "protocol/rules/elapsed.hpp"

namespace floe::cli::drill {
namespace {

std::pair<std::string_view, std::string_view> first_word(std::string_view text) {
  const auto end = std::min(text.find_first_of(" \t"), text.size());
  auto rest = text.substr(end);
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
  return {text.substr(0, end), rest};
}

/// The verb that the words begin with.
const verb* verb_at(std::string_view words, bool of_client) {
  const auto name = first_word(words).first;
  const auto found = std::ranges::find_if(
      all_verbs(), [&](const verb& v) { return name == v.name && v.of_client == of_client; });
  return found == all_verbs().end() ? nullptr : &*found;
}

bool ends_with_word(std::string_view object, const char* word) {
  if (!word || !object.ends_with(word)) return false;
  object.remove_suffix(std::string_view(word).size());
  return object.empty() || object.ends_with(' ');
}

/// The nodes before the last word: "1" of "1 good"; where none stand there, "all".
std::string_view before_last_word(std::string_view object) {
  const auto end = object.find(' ');
  return end == std::string_view::npos ? "all" : object.substr(0, end);
}

/// "for 60s" at the end of the line.
std::int64_t lasting_us(std::string_view object) {
  const auto at = object.rfind("for ");
  if (at == std::string_view::npos) return 0;
  const auto d = parse_duration(object.substr(at + 4));
  return d ? in_us(*d) : 0;
}

bool names_nodes(std::string_view object) {
  return object.find_first_of("0123456789") != std::string_view::npos ||
         object.find("all") != std::string_view::npos;
}

}  // namespace

void fault_reader::line(const trace_line& l) {
  if (over_ || l.who != "drill") return;
  if (l.text == said::faults_over) {
    end_all(l.t_us, [](const fault&) { return true; });
    over_ = true;
  } else if (l.text == said::network_whole) {
    end_all(l.t_us, [](const fault& f) { return f.ends == fault_end::heal; });
  } else if (const auto s = read_played(l)) {
    played(l.t_us, s->text);
  } else if (const auto d = read_done(l)) {
    done(l.t_us, *d);
  }
}

void fault_reader::played(std::int64_t t, std::string_view statement) {
  naming_ = false;
  const auto [name, object] = first_word(statement);
  const auto* v = verb_at(statement, false);
  if (!v) v = verb_at(object, true);  // behind the name of a client
  if (!v) return;
  if (v->fault.undoes) return undo(t, v->fault.undoes, object);
  if (ends_with_word(object, v->fault.mended_by)) return undo(t, name, before_last_word(object));
  if (v->fault.ends == fault_end::no_fault || v->fault.ends == fault_end::ends_others) return;
  fault f{.told = {t, t, std::string(statement)},
          .verb = std::string(name),
          .object = std::string(object),
          .ends = ends_with_word(object, v->fault.passing) ? fault_end::at_once : v->fault.ends,
          .nodes = {},
          .still = {}};
  f.open = f.ends != fault_end::at_once;
  if (const auto us = lasting_us(object)) f.told.to_us = t + us;
  all_.push_back(std::move(f));
  naming_ = true;
}

void fault_reader::done(std::int64_t t, const done_to_node& d) {
  const bool runs = d.what == said::starts, goes_on = d.what == said::goes_on;
  if (naming_ && (d.suffered || all_.back().verb == "restart")) {
    all_.back().nodes.insert(d.node);
    all_.back().still.insert(d.node);
  }
  if (!runs && !goes_on) {
    // who is killed is not paused any more
    if (d.what != said::killed) return;
  }
  for (auto& f : all_) {
    const bool ended = f.ends == fault_end::node_runs ? runs
                                                      : f.ends == fault_end::node_goes_on &&
                                                            (goes_on || d.what == said::killed);
    if (!f.open || !ended || f.still.erase(d.node) == 0 || !f.still.empty()) continue;
    f.told.to_us = t;
    f.open = false;
  }
}

void fault_reader::undo(std::int64_t t, std::string_view verb, std::string_view object) {
  const auto end = [&](fault& f) {
    f.told.to_us = f.told.to_us > f.told.from_us ? std::min(t, f.told.to_us) : t;
    f.open = false;
  };
  bool named = object == "all";
  fault* last = nullptr;
  for (auto& f : all_) {
    if (!f.open || f.verb != verb) continue;
    last = &f;
    if (object == "all" || first_word(f.object).first == object) {
      end(f);
      named = true;
    }
  }
  if (!named && last) end(*last);  // "it", or another name of the same node
}

void fault_reader::end_all(std::int64_t t, bool (*which)(const fault&)) {
  for (auto& f : all_)
    if (f.open && which(f)) {
      f.told.to_us = f.told.to_us > f.told.from_us ? std::min(t, f.told.to_us) : t;
      f.open = false;
    }
}

std::vector<run_fault> fault_reader::finish(std::int64_t end_us) {
  end_all(end_us, [](const fault&) { return true; });
  std::vector<run_fault> told;
  for (auto& f : all_) {
    if (!f.nodes.empty() && !names_nodes(f.object))
      f.told.what +=
          fmt::format(" (node{} {})", f.nodes.size() == 1 ? "" : "s", fmt::join(f.nodes, ", "));
    told.push_back(f.told);
  }
  return told;
}

std::vector<std::string> fault_reader::open() const {
  std::vector<std::string> words;
  for (const auto& f : all_)
    if (f.open) words.push_back(f.told.what);
  return words;
}

}  // namespace floe::cli::drill
