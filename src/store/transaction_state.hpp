// The insides of a Transaction. Documents are loaded once, changed in memory, and written once, at the commit (or when
// somebody wants to query between).
#pragma once

#include <unordered_map>

#include "store/attachments_impl.hpp"
#include "store/store_impl.hpp"

namespace fermata::store {

struct Transaction::State {
  enum class Kind { Undecided, Local, Remote };

  struct Entry {
    std::string collection, id;
    std::uint64_t rowid = 0;  // 0: no row yet
    crdt::Document document;
    bool existed = false, alive_before = false;
    bool keep = false;  // see Store::purge_known
    std::uint64_t version_before = 0;
    Map before;
    std::uint64_t seq = 0;  // 0: unchanged
    bool written = true;    // the row, and the two below, are as the document
    std::uint64_t fingerprint = 0;
    std::uint64_t version = 0;
    std::vector<ContentHash> names;  // of attachments, before this transaction
  };

  State(Store::Impl& impl, std::unique_lock<TimedMutex> held)
      : store(impl), lock(std::move(held)), next_seq(impl.identity.local_seq + 1) {}
  ~State() { roll_back(); }

  [[nodiscard]] static std::string key_of(std::string_view collection, std::string_view id);
  Result<Entry*> entry(std::string_view collection, std::string_view id);
  // Whether its id alone says that this document is not here.
  [[nodiscard]] bool is_beyond_all(std::string_view collection, std::string_view id) const;
  // What the row says, if there is one.
  Status load(Entry& fresh);
  Status decide(Kind wanted, std::uint32_t from);
  void remember_before(Entry& entry) const;
  void mark_changed(Entry& entry);
  template <class Change>
  Status write(std::string_view collection, std::string_view id, Change change);
  Status evict(std::string_view collection, std::string_view id);
  Status delete_row(std::uint64_t rowid);
  Result<const Store::Impl::Graves*> graves_of(std::string_view collection);
  // Nobody may know any more what was here.
  Status forget_known(std::string_view collection);
  Status write_out();
  Status write_row(Entry& entry);
  // Remembers which attachments the document named and does not any more.
  void note_unnamed(const Entry& entry, ByteView body);
  Status touch_unnamed();
  Status insert_row(Entry& entry, ByteView body, ByteView meta);
  void bind_row(Statement& statement, const Entry& entry, ByteView body, ByteView meta) const;
  Result<Store::Impl::Collection*> collection(const std::string& name);
  // The digest that the collection will have after this transaction.
  Result<crdt::Digest*> digest(const std::string& name);
  Status update_digests();
  Status save_identity();
  Result<std::uint64_t> commit();
  void committed();
  void announce();
  void roll_back();
  // Keeps the first failure: what follows it must not be committed.
  Status note(Status status) {
    if (!status && failure) {
      failure = status;
    }
    return status;
  }

  Store::Impl& store;
  std::unique_lock<TimedMutex> lock;
  Kind kind = Kind::Undecided;
  std::uint32_t source = 0;
  crdt::Commit now;  // of a local transaction
  std::uint64_t next_seq;
  std::unordered_map<std::string, Entry> entries;  // by key_of()
  Entry* last_met = nullptr;                       // asked for several times in a row, as a rule
  std::vector<Entry*> changed;                     // in order of local seq
  std::vector<EvictedDocument> evicted;
  std::vector<LargeDocument> large;
  std::set<ContentHash> unnamed;
  std::map<std::string, crdt::Digest, std::less<>> digests;  // of the collections that it changes
  std::vector<std::string> new_collections;
  std::map<std::string, Store::Impl::Graves, std::less<>> graves;  // of the collections that were evicted from
  Status failure;
  bool finished = false;
};

}  // namespace fermata::store
