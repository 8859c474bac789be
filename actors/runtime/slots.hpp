#pragma once
/// Things that are kept until somebody takes them out by a number, without memory or a search of its own for each: they lie in
/// one vector, whose free places are used again. Numbers grow, and none is given out twice. Not thread-safe.
#include <cassert>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace floe {

template <class T>
class slots {
 public:
  /// Its number; never 0.
  std::uint64_t put(T what) {
    if (free_.empty()) {
      assert(places_.size() < place_mask && "more things than numbers can tell apart");
      free_.push_back(places_.size());
      places_.emplace_back();
    }
    const auto at = free_.back();
    free_.pop_back();
    const auto number = ++last_ << place_bits | at;
    places_[at] = {number, std::move(what)};
    return number;
  }
  bool contains(std::uint64_t number) const {
    const auto at = number & place_mask;
    return number != 0 && at < places_.size() && places_[at].number == number;
  }
  /// Null if it has been taken; valid until the next one is put.
  T* find(std::uint64_t number) {
    return contains(number) ? &places_[number & place_mask].what : nullptr;
  }
  std::optional<T> take(std::uint64_t number) {
    if (!contains(number)) return std::nullopt;
    const auto at = number & place_mask;
    places_[at].number = 0;
    free_.push_back(at);
    return std::exchange(places_[at].what, T{});
  }
  /// Of each that is there, in no order.
  template <class Use>
  void each(Use use) const {
    for (const auto& p : places_)
      if (p.number != 0) use(p.what);
  }
  std::size_t size() const { return places_.size() - free_.size(); }

 private:
  /// 16 million things at a time, 10^12 in a life.
  static constexpr unsigned place_bits = 24;
  static constexpr std::uint64_t place_mask = (std::uint64_t{1} << place_bits) - 1;

  struct place {
    std::uint64_t number = 0;  ///< 0: free
    T what{};
  };
  std::vector<place> places_;
  std::vector<std::uint64_t> free_;
  std::uint64_t last_ = 0;
};

}  // namespace floe
