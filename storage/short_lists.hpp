#pragma once
/// Many short lists in one piece of memory: to append allocates nothing of its own, and all of them end together.
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <ranges>
#include <utility>
#include <vector>

namespace floe {

/// A list in a short_lists; empty.
struct short_list {
  std::uint32_t first = 0, last = 0;  ///< places, plus one
  std::uint32_t size = 0;
};

template <class T>
class short_lists {
  struct link {
    T value;
    std::uint32_t next = 0;
  };

 public:
  class iterator {
   public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    iterator() = default;
    iterator(const std::vector<link>* of, std::uint32_t at) : of_(of), at_(at) {}
    const T& operator*() const { return (*of_)[at_ - 1].value; }
    const T* operator->() const { return &**this; }
    iterator& operator++() {
      at_ = (*of_)[at_ - 1].next;
      return *this;
    }
    iterator operator++(int) { return std::exchange(*this, ++iterator(*this)); }
    bool operator==(const iterator& other) const { return at_ == other.at_; }

   private:
    const std::vector<link>* of_ = nullptr;
    std::uint32_t at_ = 0;
  };
  void append(short_list& list, T value) {
    links_.push_back({std::move(value)});
    const auto at = static_cast<std::uint32_t>(links_.size());
    (list.size++ == 0 ? list.first : links_[list.last - 1].next) = at;
    list.last = at;
  }
  /// In the order in which they were appended; valid until the next append to any list.
  std::ranges::subrange<iterator> in(const short_list& list) const {
    return {iterator(&links_, list.first), iterator(&links_, 0)};
  }

 private:
  std::vector<link> links_;
};

}  // namespace floe
