#include "cli/drill/testbed/record_access.hpp"

#include <utility>

#include "protocol/hash.hpp"

namespace floe::cli::drill {

void floe_records::lock(const std::string& db, const std::string& key, duration patience,
                        when_done<locked_record> done) {
  lock_record(client_, db_id_of(db), key, patience, std::move(done));
}

void floe_records::read(const std::string& db, const std::string& key, read_from from,
                        duration patience, when_done<read_record_answer> done) {
  read_record(client_, db_id_of(db), key, from, patience, std::move(done));
}

void floe_records::store(std::uint64_t id, const std::string& data, after_write then,
                         duration patience, when_done<void> done) {
  store_record(client_, id, data, then, patience, std::move(done));
}

void floe_records::erase(std::uint64_t id, after_write then, duration patience,
                         when_done<void> done) {
  delete_record(client_, id, then, patience, std::move(done));
}

void floe_records::unlock(std::uint64_t id, duration patience, when_done<void> done) {
  unlock_record(client_, id, patience, std::move(done));
}

}  // namespace floe::cli::drill
