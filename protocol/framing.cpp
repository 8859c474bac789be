#include "protocol/framing.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <string>
#include <utility>

#include "protocol/packet.hpp"

namespace floe {
namespace {

constexpr std::size_t smallest_buffer = 64;
constexpr std::size_t length_size = 4;
constexpr std::size_t checked_size = 12;  ///< length, magic, version

std::uint32_t number_at(byte_view b, std::size_t offset) {
  std::uint32_t n = 0;
  std::memcpy(&n, b.data() + offset, sizeof n);
  return n;
}

}  // namespace

bytes framing_error::text() const {
  const bytes n = std::to_string(value);
  switch (why) {
    case framing_fault::no_length: return "packet length " + n + " does not even count itself";
    case framing_fault::too_large: return "packet length " + n + " is above the limit";
    case framing_fault::too_short: return "packet length " + n + " is below that of a header";
    case framing_fault::not_multiple_of_8: return "packet length " + n + " is no multiple of 8";
    case framing_fault::bad_magic: return "magic is " + n + ", this is no packet";
    case framing_fault::bad_version: return "protocol version " + n + " is not known";
  }
  return {};
}

framer::framer(framing_policy policy) : policy_(policy) {
  policy_.read_buffer = std::max(policy_.read_buffer, smallest_buffer);
}
framer::~framer() = default;
framer::framer(framer&&) noexcept = default;
framer& framer::operator=(framer&&) noexcept = default;

std::span<char> framer::prepare(std::size_t hint) {
  if (large_length_ != 0) {
    assert(large_arrived_ < large_length_ && "next() takes a packet that is complete");
    if (!whole_ && chunks_.back().size == chunks_.back().room) {
      if (large_arrived_ >= large_length_ / 3)
        begin_whole();
      else
        chunks_.push_back(
            {std::make_unique_for_overwrite<char[]>(large_arrived_), 0, 0, large_arrived_});
    }
    if (whole_) return std::span(*whole_).subspan(large_arrived_);
    chunk& last = chunks_.back();
    return {last.data.get() + last.begin + last.size, last.room - last.size};
  }
  if (buffer_ == nullptr) {
    buffer_ = std::make_unique_for_overwrite<char[]>(policy_.read_buffer);
    capacity_ = policy_.read_buffer;
  }
  if (begin_ == end_) begin_ = end_ = 0;
  // keep room for a whole small packet behind begin_
  const std::size_t wanted = std::clamp(hint, std::size_t{1}, policy_.read_buffer / 2);
  if (capacity_ - end_ < wanted || capacity_ - begin_ < policy_.read_buffer / 2) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  assert(end_ < capacity_ && "next() was not called until it had nothing more");
  return {buffer_.get() + end_, capacity_ - end_};
}

void framer::commit(std::size_t n) {
  if (large_length_ != 0) {
    large_arrived_ += n;
    assert(large_arrived_ <= large_length_);
    // the chunks hold at most twice what is to come, so that they are empty when all is there
    if (whole_) return move_to_whole(2 * n + smallest_buffer);
    assert(n <= chunks_.back().room - chunks_.back().size);
    chunks_.back().size += n;
    return;
  }
  assert(n <= capacity_ - end_);
  end_ += n;
}

std::optional<framing_error> framer::check(byte_view start) const {
  const std::uint32_t length = number_at(start, 0);
  auto bad = [&](framing_fault why, std::uint32_t value, bool fatal) {
    return framing_error{why, value, fatal};
  };
  if (length < length_size) return bad(framing_fault::no_length, length, true);
  if (length > policy_.max_packet) return bad(framing_fault::too_large, length, true);
  const bool fatal = policy_.bad_packet_is_fatal;
  if (length < policy_.min_length) return bad(framing_fault::too_short, length, fatal);
  if (policy_.multiple_of_8 && length % 8 != 0) {
    return bad(framing_fault::not_multiple_of_8, length, fatal);
  }
  if (policy_.check_magic && start.size() >= checked_size && length >= checked_size) {
    const std::uint32_t magic = number_at(start, 4);
    if (magic != packet_magic) return bad(framing_fault::bad_magic, magic, fatal);
    const std::uint32_t version = number_at(start, 8);
    if (version != protocol_version) return bad(framing_fault::bad_version, version, fatal);
  }
  return std::nullopt;
}

std::expected<std::optional<frame>, framing_error> framer::next() {
  if (broken_) return std::unexpected(*broken_);
  if (large_length_ != 0) return finish_large();
  if (skip_ > 0) {
    const std::size_t n = std::min(skip_, end_ - begin_);
    begin_ += n;
    skip_ -= n;
    if (skip_ > 0) return std::nullopt;
  }
  const byte_view there(buffer_.get() + begin_, end_ - begin_);
  if (there.size() < length_size) return std::nullopt;
  if (const auto bad = check(there)) {
    if (bad->fatal)
      broken_ = bad;
    else
      skip_ = number_at(there, 0);
    return std::unexpected(*bad);
  }
  const std::uint32_t length = number_at(there, 0);
  if (there.size() >= length) {
    begin_ += length;
    return std::make_shared<const bytes>(there.substr(0, length));
  }
  // magic and version have not been seen before so much is there
  if (length > policy_.read_buffer / 2 && there.size() >= checked_size) begin_large(length);
  return std::nullopt;
}

void framer::begin_large(std::uint32_t length) {
  // what is there stays where it is: the buffer becomes the first chunk
  const std::size_t arrived = end_ - begin_;
  const std::size_t room = std::min<std::size_t>(length, capacity_ - begin_);
  chunks_.clear();
  chunks_.push_back({std::move(buffer_), begin_, arrived, room});
  capacity_ = begin_ = end_ = 0;
  large_length_ = length;
  large_arrived_ = arrived;
}

void framer::begin_whole() {
  whole_ = std::make_shared<bytes>();
  // no byte of it is touched before it has arrived
  whole_->resize_and_overwrite(large_length_, [](char*, std::size_t n) { return n; });
  moved_ = 0;
}

void framer::move_to_whole(std::size_t most) {
  while (most > 0 && !chunks_.empty()) {
    chunk& first = chunks_.front();
    const std::size_t n = std::min(most, first.size);
    std::memcpy(whole_->data() + moved_, first.data.get() + first.begin, n);
    first.begin += n;
    first.size -= n;
    first.room -= n;
    moved_ += n;
    most -= n;
    if (first.size == 0) chunks_.erase(chunks_.begin());
  }
}

std::optional<frame> framer::finish_large() {
  if (large_arrived_ < large_length_) return std::nullopt;
  if (!whole_) begin_whole();
  move_to_whole(large_length_);
  large_length_ = large_arrived_ = 0;
  return std::exchange(whole_, nullptr);
}

std::size_t framer::pending() const { return large_length_ != 0 ? large_arrived_ : end_ - begin_; }

std::size_t framer::allocated() const {
  std::size_t n = capacity_ + (whole_ ? whole_->size() : 0);
  for (const chunk& c : chunks_) n += c.begin + c.room;
  return n;
}

}  // namespace floe
