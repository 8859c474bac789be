#include "actors/client/replace.hpp"

#include <algorithm>
#include <utility>

#include "protocol/constants.hpp"
#include "protocol/mutant.hpp"
#include "protocol/types/database.hpp"
#include "protocol/types/node_map.hpp"
#include "protocol/types/rec_data.hpp"
#include "protocol/types/vnn_map.hpp"

namespace floe {
namespace {

/// CTDB's tool pushes there.
constexpr srvid push_srvid{0xCE02000000000000};
/// Bytes on their way to each node before it must have said that it has taken them.
constexpr std::size_t push_window = 4 << 20;
constexpr const char* recovery_goes_on = "a recovery is going on: try again when it is over";

struct replacing : std::enable_shared_from_this<replacing> {
  replacing(client& on, replace_plan p, when_done<replaced_content> tell)
      : c(on), plan(std::move(p)), done(std::move(tell)) {}

  using step = std::function<void()>;
  using per_node = std::function<std::optional<client_error>(pnn, const client_reply&)>;

  client& c;
  replace_plan plan;
  when_done<replaced_content> done;
  generation gen = generation::invalid;
  std::vector<pnn> nodes;
  replaced_content so_far;
  bool touched = false;  ///< a database may be frozen: somebody has to thaw it

  void refuse(std::string why) { give_up({client_errc::refused, 0, std::move(why), pnn::current}); }

  void give_up(client_error why) {
    if (!touched) return done(std::unexpected(std::move(why)));
    why.text += why.text.empty() ? "" : "; ";
    why.text += "a recovery puts the database right";
    c.control<control::set_recmode>(
        pnn::current, recovery_mode::active, plan.step_patience,
        [self = shared_from_this(), why](const auto&) { self->done(std::unexpected(why)); });
  }

  /// The same control to all nodes; `next` when all have done it, `check` looks at each answer.
  void each(const char* what, control opcode, const bytes& data, step next,
            per_node check = nullptr) {
    auto left = std::make_shared<std::size_t>(nodes.size());
    auto failed = std::make_shared<std::optional<client_error>>();
    auto self = shared_from_this();
    for (pnn n : nodes)
      c.send_control(
          n, opcode, data, plan.step_patience,
          [self, n, left, failed, what, next, check](const result<client_reply>& r) {
            auto error = r ? (check ? check(n, *r) : std::nullopt) : std::optional(r.error());
            if (error && !*failed) {
              error->node = n;
              error->text = std::string(what) + (error->text.empty() ? "" : ": ") + error->text;
              *failed = error;
            }
            if (--*left > 0) return;
            if (*failed) return self->give_up(**failed);
            next();
          });
  }

  bytes id() const { return wire::encode(number(plan.db)); }
  bytes transaction() const { return wire::encode(transdb{.db_id = plan.db, .tid = gen}); }

  void begin() {
    auto self = shared_from_this();
    c.control<control::get_recmode>(pnn::current, {}, plan.step_patience, [self](const auto& mode) {
      if (!mode) return self->give_up(mode.error());
      if (mode->status != static_cast<std::int32_t>(recovery_mode::normal) &&
          !mutated(mutant::replaced_without_a_member))
        return self->refuse(recovery_goes_on);
      self->c.template control<control::get_nodemap>(pnn::current, {}, self->plan.step_patience,
                                                     [self](const auto& map) {
                                                       if (!map) return self->give_up(map.error());
                                                       for (const auto& n : map->value.nodes)
                                                         if (!(n.flags & node_flag::inactive))
                                                           self->nodes.push_back(n.pnn);
                                                       self->so_far.nodes = self->nodes.size();
                                                       if (self->nodes.empty())
                                                         return self->refuse("no node is active");
                                                       self->look_for_recoveries();
                                                     });
    });
  }

  /// A node that has not heard yet that one is over takes part in nothing else; it is not made to refuse half of the way.
  void look_for_recoveries() {
    auto self = shared_from_this();
    const auto check = [](pnn n, const client_reply& r) -> std::optional<client_error> {
      const bool normal = r.status == static_cast<std::int32_t>(recovery_mode::normal);
      if (normal || mutated(mutant::replaced_without_a_member) ||
          mutated(mutant::push_into_anothers) || mutated(mutant::tool_taken_for_leader))
        return std::nullopt;
      return client_error{client_errc::refused, 0, recovery_goes_on, n};
    };
    each(
        "is a recovery going on", control::get_recmode, {}, [self] { self->learn_generation(); },
        check);
  }

  void learn_generation() {
    auto self = shared_from_this();
    c.control<control::getvnnmap>(pnn::current, {}, plan.step_patience, [self](const auto& map) {
      if (!map) return self->give_up(map.error());
      self->gen = map->value.generation;
      if (self->gen == generation::invalid)
        return self->refuse("this node takes part in no cluster");
      for (const pnn m : map->value.slots)
        if (std::ranges::find(self->nodes, m) == self->nodes.end() &&
            !mutated(mutant::replaced_without_a_member))
          return self->refuse(
              "node " + std::to_string(number(m)) +
              " is of the cluster and cannot be reached: it would keep what it has; "
              "try again after the recovery that follows");
      if (!self->plan.feed) return self->freeze();
      // a node that heard of the database a moment ago may not have it open yet
      self->each("attach", self->attach_control(), wire::encode(wire::string{self->plan.name}),
                 [self] { self->freeze(); });
    });
  }

  control attach_control() const {
    if (plan.kind == db_kind::persistent) return control::db_attach_persistent;
    return plan.kind == db_kind::replicated ? control::db_attach_replicated : control::db_attach;
  }

  void freeze() {
    auto self = shared_from_this();
    touched = true;
    each("freeze", control::db_freeze, id(), [self] {
      self->each("begin", control::db_transaction_start, self->transaction(), [self] {
        self->each("wipe", control::wipe_database, self->transaction(),
                   [self] { self->plan.feed ? self->push() : self->set_healthy(); });
      });
    });
  }

  void push() {
    auto self = shared_from_this();
    const auto where =
        wire::encode(pulldb_ext{.db_id = plan.db, .lmaster = pnn::unknown, .srvid = push_srvid});
    each("push", control::db_push_start, where, [self] { self->push_more(); });
  }

  void push_more() {
    auto self = shared_from_this();
    for (std::size_t sent = 0; sent < push_window;) {
      auto buffer = plan.feed();
      if (!buffer) return refuse(buffer.error());
      if (!*buffer) return confirm();
      const auto records = wire::decode<rec_buffer>(**buffer);
      if (!records) return refuse("bad records: " + records.error().text());
      so_far.records += records->count();
      sent += (*buffer)->size();
      for (pnn n : nodes) c.send_message(n, push_srvid, **buffer);
    }
    if (plan.progress) plan.progress(so_far.records);
    // it comes behind the records, so its answer says that they have arrived
    each("push", control::ping, {}, [self] { self->push_more(); });
  }

  void confirm() {
    auto self = shared_from_this();
    const auto check = [self](pnn n, const client_reply& r) -> std::optional<client_error> {
      const auto count = wire::decode<std::uint32_t>(r.data);
      if (count && *count == self->so_far.records) return std::nullopt;
      return client_error{client_errc::refused, 0,
                          "has " + std::to_string(count.value_or(0)) + " of " +
                              std::to_string(self->so_far.records) + " records",
                          n};
    };
    each(
        "push", control::db_push_confirm, id(), [self] { self->set_healthy(); }, check);
  }

  void set_healthy() {
    auto self = shared_from_this();
    if (plan.kind != db_kind::persistent) return commit();
    each("set healthy", control::db_set_healthy, id(), [self] { self->commit(); });
  }

  void commit() {
    auto self = shared_from_this();
    each("commit", control::db_transaction_commit, transaction(), [self] {
      self->each("thaw", control::db_thaw, self->id(), [self] { self->done(self->so_far); });
    });
  }
};

}  // namespace

void replace_content(client& c, replace_plan plan, when_done<replaced_content> done) {
  std::make_shared<replacing>(c, std::move(plan), std::move(done))->begin();
}

}  // namespace floe
