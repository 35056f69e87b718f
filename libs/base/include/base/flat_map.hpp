#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/assert.hpp"
#include "base/hash.hpp"

namespace lanyard {

// Default hash of FlatMap: integers and enums, texts, and any type with an ADL hash_value(). Not
// keyed: where peers choose the keys, give the map a hash of its own that mixes in a secret.
struct FlatHash {
    template <class T>
    std::uint64_t operator()(const T& key) const {
        if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
            return mix64(static_cast<std::uint64_t>(key));
        } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
            return mix64(std::hash<std::string_view>{}(std::string_view(key)));
        } else {
            return hash_value(key);
        }
    }
};

// A hash table in two flat arrays: open addressing, linear probing, deletion by backward shift (so no tombstones
// and no slow-down with age). One byte per slot holds seven bits of the hash, so that a miss rarely touches a key.
//
// Allocates only when it grows (at 7/8 full, doubling); reserve() takes that cost up front. Pointers and
// references to elements live until the next insertion or erasure. Keys and values must be nothrow movable. A
// look-up may use another type than Key when Hash takes it with the same result and == compares it with Key.
// Not thread-safe.
template <class Key, class Value, class Hash = FlatHash>
class FlatMap {
  public:
    struct Element {
        Key key;
        Value value;
    };

    explicit FlatMap(Hash hash = {}) : hash_(std::move(hash)) {}
    FlatMap(FlatMap&& other) noexcept : hash_(other.hash_) { swap(other); }
    FlatMap& operator=(FlatMap&& other) noexcept {
        swap(other);
        return *this;
    }
    FlatMap(const FlatMap&) = delete;
    FlatMap& operator=(const FlatMap&) = delete;
    ~FlatMap() {
        destroy_elements();
        deallocate();
    }

    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] bool empty() const { return size_ == 0; }
    // How many elements fit before the next growth.
    [[nodiscard]] std::size_t capacity() const { return slots_ / 8 * 7; }

    // Null if absent.
    template <class Lookup = Key>
    [[nodiscard]] Value* find(const Lookup& key) {
        const std::size_t at = find_slot(key);
        return at == kNotFound ? nullptr : &elements_[at].value;
    }
    template <class Lookup = Key>
    [[nodiscard]] const Value* find(const Lookup& key) const {
        const std::size_t at = find_slot(key);
        return at == kNotFound ? nullptr : &elements_[at].value;
    }
    template <class Lookup = Key>
    [[nodiscard]] bool contains(const Lookup& key) const {
        return find_slot(key) != kNotFound;
    }

    // The value of the key, made from `arguments` if it was absent; second says whether it was made now.
    template <class... Arguments>
    std::pair<Value*, bool> try_emplace(Key key, Arguments&&... arguments) {
        if (const std::size_t at = find_slot(key); at != kNotFound) return {&elements_[at].value, false};
        if (size_ == capacity()) rehash(slots_ == 0 ? kMinSlots : slots_ * 2);
        const std::uint64_t hash = hash_(key);
        const std::size_t at = free_slot(hash);
        std::construct_at(&elements_[at], Element{std::move(key), Value(std::forward<Arguments>(arguments)...)});
        tags_[at] = tag_of(hash);
        ++size_;
        return {&elements_[at].value, true};
    }
    Value& insert_or_assign(Key key, Value value) {
        const auto [slot, inserted] = try_emplace(std::move(key));
        *slot = std::move(value);
        return *slot;
    }
    Value& operator[](Key key) { return *try_emplace(std::move(key)).first; }

    // False if it was not there.
    template <class Lookup = Key>
    bool erase(const Lookup& key) {
        const std::size_t at = find_slot(key);
        if (at == kNotFound) return false;
        erase_slot(at);
        return true;
    }
    // Erases every element for which predicate(key, value) is true; returns how many.
    template <class Predicate>
    std::size_t erase_if(Predicate predicate) {
        const std::size_t before = size_;
        for (std::size_t at = 0; at < slots_;) {
            // Backward shift may pull a later element into `at`: look at the slot again. An element that wraps
            // around from the start of the table has been asked before; asking twice must give the same answer.
            if (tags_[at] != kEmpty && predicate(std::as_const(elements_[at].key), elements_[at].value)) {
                erase_slot(at);
            } else {
                ++at;
            }
        }
        return before - size_;
    }
    void clear() {
        destroy_elements();
        for (std::size_t at = 0; at < slots_; ++at) tags_[at] = kEmpty;
        size_ = 0;
    }
    // Makes room for `count` elements without further growth.
    void reserve(std::size_t count) {
        std::size_t slots = slots_ == 0 ? kMinSlots : slots_;
        while (slots / 8 * 7 < count) slots *= 2;
        if (slots > slots_) rehash(slots);
    }
    // Calls visit(key, value) for each element in no particular order; visit must not insert or erase.
    template <class Visit>
    void for_each(Visit visit) {
        for (std::size_t at = 0; at < slots_; ++at) {
            if (tags_[at] != kEmpty) visit(std::as_const(elements_[at].key), elements_[at].value);
        }
    }
    template <class Visit>
    void for_each(Visit visit) const {
        for (std::size_t at = 0; at < slots_; ++at) {
            if (tags_[at] != kEmpty) visit(elements_[at].key, std::as_const(elements_[at].value));
        }
    }
    void swap(FlatMap& other) noexcept {
        std::swap(hash_, other.hash_);
        std::swap(tags_, other.tags_);
        std::swap(elements_, other.elements_);
        std::swap(slots_, other.slots_);
        std::swap(size_, other.size_);
    }

  private:
    static_assert(std::is_nothrow_move_constructible_v<Key> && std::is_nothrow_move_constructible_v<Value>);
    static constexpr std::size_t kMinSlots = 16;
    static constexpr std::size_t kNotFound = ~std::size_t{0};
    static constexpr std::uint8_t kEmpty = 0;

    // The top bits choose the tag, the low bits the slot, so that neighbours still differ in their tags.
    static std::uint8_t tag_of(std::uint64_t hash) { return static_cast<std::uint8_t>(0x80 | (hash >> 57)); }
    [[nodiscard]] std::size_t next(std::size_t at) const { return (at + 1) & (slots_ - 1); }
    [[nodiscard]] std::size_t home_of(std::uint64_t hash) const {
        return static_cast<std::size_t>(hash) & (slots_ - 1);
    }

    template <class Lookup>
    std::size_t find_slot(const Lookup& key) const {
        if (size_ == 0) return kNotFound;
        const std::uint64_t hash = hash_(key);
        const std::uint8_t tag = tag_of(hash);
        for (std::size_t at = home_of(hash); tags_[at] != kEmpty; at = next(at)) {
            if (tags_[at] == tag && elements_[at].key == key) return at;
        }
        return kNotFound;
    }
    [[nodiscard]] std::size_t free_slot(std::uint64_t hash) const {
        std::size_t at = home_of(hash);
        while (tags_[at] != kEmpty) at = next(at);
        return at;
    }
    void move_element(std::size_t from, std::size_t to) {
        std::construct_at(&elements_[to], std::move(elements_[from]));
        std::destroy_at(&elements_[from]);
        tags_[to] = tags_[from];
    }
    void erase_slot(std::size_t hole) {
        std::destroy_at(&elements_[hole]);
        for (std::size_t at = next(hole); tags_[at] != kEmpty; at = next(at)) {
            const std::size_t home = home_of(hash_(elements_[at].key));
            // An element may move back into the hole unless its home lies behind the hole.
            if (((at - home) & (slots_ - 1)) < ((at - hole) & (slots_ - 1))) continue;
            move_element(at, hole);
            hole = at;
        }
        tags_[hole] = kEmpty;
        --size_;
    }
    void rehash(std::size_t slots) {
        FlatMap grown(hash_);
        grown.allocate(slots);
        for (std::size_t at = 0; at < slots_; ++at) {
            if (tags_[at] == kEmpty) continue;
            const std::size_t to = grown.free_slot(hash_(elements_[at].key));
            std::construct_at(&grown.elements_[to], std::move(elements_[at]));
            grown.tags_[to] = tags_[at];
        }
        grown.size_ = size_;
        swap(grown);
    }
    void allocate(std::size_t slots) {
        LANYARD_ASSERT((slots & (slots - 1)) == 0);
        tags_ = std::make_unique<std::uint8_t[]>(slots);
        elements_ = std::allocator<Element>{}.allocate(slots);
        slots_ = slots;
    }
    void deallocate() {
        if (elements_ != nullptr) std::allocator<Element>{}.deallocate(elements_, slots_);
    }
    void destroy_elements() {
        if constexpr (!std::is_trivially_destructible_v<Element>) {
            for (std::size_t at = 0; at < slots_; ++at) {
                if (tags_[at] != kEmpty) std::destroy_at(&elements_[at]);
            }
        }
    }

    Hash hash_;
    std::unique_ptr<std::uint8_t[]> tags_;
    Element* elements_ = nullptr;
    std::size_t slots_ = 0;
    std::size_t size_ = 0;
};

}  // namespace lanyard
