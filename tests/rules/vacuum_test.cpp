#include "protocol/rules/vacuum.hpp"

#include <doctest/doctest.h>

using namespace floe;

TEST_CASE("vacuum: an old copy is dropped, what is ours or newer or in use is kept") {
  using enum try_delete_outcome;
  constexpr pnn me{0}, owner{1}, third{2};
  const auto header = [](std::uint64_t n, pnn dmaster, std::uint32_t flags = 0) {
    return record_header{.rsn = rsn{n}, .dmaster = dmaster, .flags = flags};
  };
  const auto offered = header(5, owner);
  CHECK(decide_try_delete(me, owner, header(4, owner), offered, false) == drop);
  CHECK(decide_try_delete(me, owner, header(5, third), offered, false) == drop);
  CHECK(decide_try_delete(me, owner, std::nullopt, offered, false) == gone);
  CHECK(decide_try_delete(me, owner, header(6, owner), offered, false) == keep);
  CHECK(decide_try_delete(me, owner, header(4, me), offered, false) == keep);
  CHECK(decide_try_delete(me, me, header(4, owner), offered, false) == keep);
  CHECK(decide_try_delete(me, me, std::nullopt, offered, false) == keep);
  CHECK(decide_try_delete(me, owner, header(4, owner), offered, true) == keep);
  CHECK(decide_try_delete(me, owner, std::nullopt, offered, true) == keep);
  CHECK(decide_try_delete(me, owner, header(4, owner, record_flag::ro_have_readonly), offered,
                          false) == keep);
  CHECK(decide_try_delete(me, owner, header(4, owner),
                          header(5, owner, record_flag::ro_have_delegations), false) == keep);
}
