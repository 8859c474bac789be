#include "actors/client/recovery_wait.hpp"

#include "protocol/types/vnn_map.hpp"

namespace floe {
namespace {

constexpr duration pause = std::chrono::milliseconds(50);

struct watch : std::enable_shared_from_this<watch> {
  watch(client& on, pnn at, std::optional<generation> before, time_point end,
        when_done<recovered_state> tell)
      : c(on), node(at), old(before), until(end), done(std::move(tell)) {}

  client& c;
  pnn node;
  std::optional<generation> old;
  time_point until;
  when_done<recovered_state> done;

  duration left() const {
    return std::max(duration{std::chrono::milliseconds(1)}, duration{until - c.loop().now()});
  }

  void ask() {
    auto self = shared_from_this();
    c.control<control::get_recmode>(node, {}, left(), [self](const auto& mode) {
      if (!mode) return self->done(std::unexpected(mode.error()));
      if (mode->status != static_cast<std::int32_t>(recovery_mode::normal)) return self->again();
      self->c.template control<control::getvnnmap>(
          self->node, {}, self->left(), [self](const auto& map) {
            if (!map) return self->done(std::unexpected(map.error()));
            const auto now = map->value.generation;
            if (now == generation::invalid || (self->old && now == *self->old))
              return self->again();
            self->done(recovered_state{now});
          });
    });
  }

  void again() {
    if (c.loop().now() >= until)
      return done(std::unexpected(
          client_error{client_errc::timed_out, 0, "the recovery has not ended", node}));
    c.later(pause, [self = shared_from_this()] { self->ask(); });
  }
};

}  // namespace

void wait_recovered(client& c, pnn node, std::optional<generation> old, duration patience,
                    when_done<recovered_state> done) {
  std::make_shared<watch>(c, node, old, c.loop().now() + patience, std::move(done))->ask();
}

}  // namespace floe
