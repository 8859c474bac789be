/// record_queue [self=0] [lmaster=1] [owner=0] [unknown]: the queue of one key on that node, and where the node believes the
/// record to be; `unknown`: it has no copy of it. Each step is carried out as a database does, as far as it goes:
///     wants USE [read_only]            a request of this node comes: lock, read, look, call, vacuum
///     peer NODE [via=NODE] [read_only] one of that node, by way of another; whom it is settled for has the record then
///     unlock, gives_up                 the holder is done; the first that waits does so no longer
///     came, knows owner=NODE           the record is ours; the copy here names another owner
///     frozen, thawed, new_map, recovered
///     copies_out, copies_back          others have read-only copies of the record; have given them back
///     copy                             this node has one
///     stays TIME                       others do not get the record before
///     again                            time has passed
///     tick, thaw                       what becomes of the request that is under way; five seconds are its time
///     held                             a lock is granted past the queue: a bug
#include "protocol/rules/record_queue.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "protocol/constants.hpp"
#include "tests/rules/script/event_parser.hpp"
#include "tests/rules/script/verb.hpp"

namespace floe::rule_script {
namespace {

constexpr duration hold_back = std::chrono::seconds(5);

std::string text_of(const queued_request& r) {
  std::string text = r.use == record_use::peer_call ? "peer " + std::to_string(number(r.source))
                                                    : std::string(floe::name(r.use));
  return text + (r.read_only ? ", a copy will do" : "");
}

struct queue_machine final : machine {
  explicit queue_machine(world& w) : in(w) {}

  bool feed(words& said, std::string& out) override {
    const auto& event = said.name();
    if (event == "tick" || event == "thaw") {
      said.finish();
      out += event == "tick" ? tick() : text_of(at_thaw(now()));
      return true;
    }
    if (!happens(event, said)) return false;
    said.finish();
    play(out);
    return true;
  }
  std::string state() const override {
    std::string text =
        is.local ? "of node " + std::to_string(number(is.local->dmaster)) : "unknown";
    if (is.held) text += ", held";
    if (is.asked) text += ", asked of node " + std::to_string(number(*is.asked));
    return text;
  }
  std::vector<std::string_view> events() const override {
    return {"wants",  "peer",    "unlock",    "came",       "knows",       "frozen",
            "thawed", "new_map", "recovered", "copies_out", "copies_back", "copy",
            "stays",  "again",   "gives_up",  "tick",       "thaw",        "held"};
  }

  bool happens(const std::string& event, words& said) {
    if (event == "wants") {
      comes({.use = use_named(said.next("what it is for")), .source = is.self, .from = is.self},
            said);
    } else if (event == "peer") {
      queued_request r{.use = record_use::peer_call};
      parse(said.next("a node"), r.source);
      r.from = r.source;
      if (const auto via = said.option("via")) parse(*via, r.from);
      comes(r, said);
    } else if (event == "unlock") {
      is.held = false;
    } else if (event == "gives_up") {
      if (queue.empty()) throw mistake("gives_up: nobody waits");
      queue.erase(queue.begin());
    } else if (event == "came") {
      is.local = record_header{.rsn = rsn{3}, .dmaster = is.self};
      is.asked.reset();
      is.came = in.now;
    } else if (event == "knows") {
      pnn owner{0};
      parse(said.option("owner").value_or("?"), owner);
      header().dmaster = owner;
    } else if (event == "frozen" || event == "thawed") {
      is.thawed = event == "thawed";
    } else if (event == "new_map" || event == "recovered") {
      is.map_applies = event == "recovered";
    } else if (event == "copies_out") {
      header().flags |= record_flag::ro_have_delegations;
    } else if (event == "copies_back") {
      header().flags = 0;
      is.calling_back = false;
    } else if (event == "copy") {
      header().flags |= record_flag::ro_have_readonly;
    } else if (event == "stays") {
      duration time{};
      parse(said.next("a time"), time);
      is.stays_until = in.now + time;
    } else if (event == "held") {
      is.held = true;
    } else {
      return event == "again";
    }
    return true;
  }

  record_use use_named(const std::string& word) const {
    for (const auto u : {record_use::lock, record_use::read, record_use::look, record_use::call,
                         record_use::vacuum})
      if (floe::name(u) == word) return u;
    throw mistake("\"" + word + "\" is none of lock read look call vacuum");
  }
  record_header& header() {
    if (!is.local) throw mistake("this node has no copy of the record");
    return *is.local;
  }
  void comes(queued_request r, words& said) {
    r.read_only = said.flag("read_only");
    r.since = in.now;
    queue.push_back(r);
  }
  queue_state now() const {
    auto s = is;
    s.now = in.now;
    s.hold_back = hold_back;
    return s;
  }

  void play(std::string& out) {
    while (carry_out(next_step(now(), queue), out)) {
    }
    std::string left;
    for (const auto& r : queue) left += (left.empty() ? "" : "; ") + text_of(r);
    out += left.empty() ? "nobody waits\n" : "wait: " + left + "\n";
  }

  /// False: the rest waits.
  bool carry_out(const queue_step& s, std::string& out) {
    const auto at = [&](std::size_t n) { return queue.begin() + static_cast<std::ptrdiff_t>(n); };
    if (s.first) std::rotate(at(0), at(s.first), at(s.first + 1));
    if (s.ask != pnn::unknown) {
      is.asked = s.ask;
      is.asked_for_copy = s.ask_for_copy;
      sent = in.now;
      out +=
          "ask node " + std::to_string(number(s.ask)) + (s.ask_for_copy ? " for a copy\n" : "\n");
    }
    if (s.call_back) {
      if (!std::exchange(is.calling_back, true)) out += "call the copies back\n";
      return false;
    }
    if (s.stays) out += "it stays here for now\n";
    if (s.action == queue_action::wait) return false;
    const auto r = *at(s.which);
    queue.erase(at(s.which));
    out += std::string(floe::name(s.action)) + " " + text_of(r) + "\n";
    is.held |= s.action == queue_action::grant;
    if (s.action == queue_action::settle && is.local && is.local->dmaster == is.self) {
      if (r.read_only)
        is.local->flags |= record_flag::ro_have_delegations;
      else
        is.local->dmaster = r.source;
    }
    return true;
  }

  std::string tick() const {
    if (!is.asked) return "nothing is under way\n";
    return text_of(
        at_tick(now(), {.to = *is.asked, .sent = sent, .wanted = !queue.empty()}, hold_back));
  }
  static std::string text_of(const pending_step& s) {
    std::string text(floe::name(s.action));
    if (s.action == pending_action::ask_again)
      text += s.to == pnn::unknown ? " nobody" : " node " + std::to_string(number(s.to));
    return text + "\n";
  }
  static std::string text_of(const queued_request& r) { return rule_script::text_of(r); }

  world& in;
  queue_state is{.self = pnn{0}, .lmaster = pnn{1}};
  std::vector<queued_request> queue;
  time_point sent{};
};

}  // namespace

static std::string run(world& w, words& said, const std::vector<std::string>&) {
  auto made = std::make_unique<queue_machine>(w);
  auto& is = made->is;
  if (const auto v = said.option("self")) parse(*v, is.self);
  if (const auto v = said.option("lmaster")) parse(*v, is.lmaster);
  record_header h{.rsn = rsn{3}, .dmaster = is.self};
  if (const auto v = said.option("owner")) parse(*v, h.dmaster);
  if (!said.flag("unknown")) is.local = h;
  w.current = std::move(made);
  return w.current->state();
}

extern const verb record_queue_verb{"record_queue",
                                    "record_queue [self=0] [lmaster=1] [owner=0] [unknown]", run};

}  // namespace floe::rule_script
