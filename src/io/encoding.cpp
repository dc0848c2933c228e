#include "encoding.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include <serinus/core/error.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

namespace {

[[noreturn]] void too_large(std::uint64_t max_bytes) {
    raise(Code::data_size, "the text has more than " + std::to_string(max_bytes) + " bytes; allowed: at most that");
}

[[noreturn]] void broken(const char* what) {
    raise(Code::data_document, std::string("the gzip file is broken: ") + what +
                                   "; allowed: a whole one (was it cut off while it was written or copied?)");
}

/// The bits of a deflate stream, lowest first.
class Bits {
  public:
    explicit Bits(std::string_view bytes) : bytes_(bytes) {}

    std::uint32_t take(unsigned count) {
        while (filled_ < count) {
            if (at_ == bytes_.size()) broken("it ends in the middle");
            held_ |= std::uint64_t{static_cast<unsigned char>(bytes_[at_++])} << filled_;
            filled_ += 8;
        }
        const auto value = static_cast<std::uint32_t>(held_ & ((std::uint64_t{1} << count) - 1));
        held_ >>= count;
        filled_ -= count;
        return value;
    }
    /// Goes on at the next whole byte.
    void align() {
        held_ >>= filled_ % 8;
        filled_ -= filled_ % 8;
    }
    /// The bytes from here on, after `align`.
    std::string_view rest() const { return bytes_.substr(at_ - filled_ / 8); }
    void skip(std::size_t count) {
        at_ = at_ - filled_ / 8 + count;
        held_ = 0;
        filled_ = 0;
    }

  private:
    std::string_view bytes_;
    std::size_t at_ = 0;
    std::uint64_t held_ = 0;
    unsigned filled_ = 0;
};

constexpr std::size_t longest_code = 15;

/// A canonical Huffman code (RFC 1951, 3.2.2): how many codes of each length there are, and their symbols in order.
class Huffman {
  public:
    Huffman(const std::uint8_t* lengths, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) ++counts_[lengths[i]];
        counts_[0] = 0;
        int left = 1;
        for (std::size_t length = 1; length <= longest_code; ++length) {
            left = 2 * left - static_cast<int>(counts_[length]);
            if (left < 0) broken("a code in it has too many words");
        }
        std::array<std::uint16_t, longest_code + 2> offsets{};
        for (std::size_t length = 1; length <= longest_code; ++length)
            offsets[length + 1] = static_cast<std::uint16_t>(offsets[length] + counts_[length]);
        for (std::size_t i = 0; i < count; ++i) {
            if (lengths[i] != 0) symbols_[offsets[lengths[i]]++] = static_cast<std::uint16_t>(i);
        }
    }

    std::uint16_t decode(Bits& bits) const {
        std::uint32_t code = 0, first = 0, index = 0;
        for (std::size_t length = 1; length <= longest_code; ++length) {
            code |= bits.take(1);
            const std::uint32_t count = counts_[length];
            if (code < first + count) return symbols_[index + (code - first)];
            index += count;
            first = (first + count) << 1U;
            code <<= 1U;
        }
        broken("a word in it is of no code");
    }

  private:
    std::array<std::uint16_t, longest_code + 1> counts_{};
    std::array<std::uint16_t, 288> symbols_{};
};

/// Unpacks one deflate stream (RFC 1951) behind what `out` has.
class Inflate {
  public:
    Inflate(Bits& bits, std::string& out, std::uint64_t max_bytes)
        : bits_(bits), out_(out), max_bytes_(max_bytes), begin_(out.size()) {}

    void run() {
        for (bool last = false; !last;) {
            last = bits_.take(1) == 1;
            switch (bits_.take(2)) {
                case 0: stored(); break;
                case 1: fixed(); break;
                case 2: dynamic(); break;
                default: broken("a block in it is of no kind");
            }
        }
    }

  private:
    void stored() {
        bits_.align();
        const std::string_view rest = bits_.rest();
        if (rest.size() < 4) broken("it ends in the middle");
        const auto byte = [&](std::size_t i) { return std::size_t{static_cast<unsigned char>(rest[i])}; };
        const std::size_t length = byte(0) | byte(1) << 8U;
        if (length != ((byte(2) | byte(3) << 8U) ^ 0xFFFFU)) broken("a block in it has no length");
        if (rest.size() - 4 < length) broken("it ends in the middle");
        room(length);
        out_.append(rest.substr(4, length));
        bits_.skip(4 + length);
    }

    void fixed() {
        std::array<std::uint8_t, 288> lengths{};
        for (std::size_t i = 0; i < lengths.size(); ++i) lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
        std::array<std::uint8_t, 30> distances{};
        distances.fill(5);
        codes(Huffman(lengths.data(), lengths.size()), Huffman(distances.data(), distances.size()));
    }

    void dynamic() {
        const std::size_t literals = bits_.take(5) + 257, distances = bits_.take(5) + 1, orders = bits_.take(4) + 4;
        if (literals > 286 || distances > 30) broken("a block in it has too many codes");
        constexpr std::array<std::uint8_t, 19> order{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
        std::array<std::uint8_t, 19> of_lengths{};
        for (std::size_t i = 0; i < orders; ++i) of_lengths[order[i]] = static_cast<std::uint8_t>(bits_.take(3));
        const Huffman code(of_lengths.data(), of_lengths.size());
        std::array<std::uint8_t, 316> lengths{};
        for (std::size_t i = 0; i < literals + distances;) {
            const std::uint16_t symbol = code.decode(bits_);
            if (symbol < 16) {
                lengths[i++] = static_cast<std::uint8_t>(symbol);
                continue;
            }
            if (symbol == 16 && i == 0) broken("a code in it repeats nothing");
            const std::uint8_t repeated = symbol == 16 ? lengths[i - 1] : std::uint8_t{0};
            std::size_t times = symbol == 16   ? 3 + bits_.take(2)
                                : symbol == 17 ? 3 + bits_.take(3)
                                               : 11 + bits_.take(7);
            if (times > literals + distances - i) broken("a code in it is too long");
            for (; times > 0; --times) lengths[i++] = repeated;
        }
        codes(Huffman(lengths.data(), literals), Huffman(lengths.data() + literals, distances));
    }

    void codes(const Huffman& literals, const Huffman& distances) {
        constexpr std::array<std::uint16_t, 29> length_base{3,  4,  5,  6,   7,   8,   9,   10,  11, 13,
                                                            15, 17, 19, 23,  27,  31,  35,  43,  51, 59,
                                                            67, 83, 99, 115, 131, 163, 195, 227, 258};
        constexpr std::array<std::uint8_t, 29> length_extra{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                                            2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
        constexpr std::array<std::uint16_t, 30> distance_base{
            1,   2,   3,   4,   5,   7,    9,    13,   17,   25,   33,   49,   65,    97,    129,
            193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
        constexpr std::array<std::uint8_t, 30> distance_extra{0, 0, 0, 0, 1, 1, 2, 2,  3,  3,  4,  4,  5,  5,  6,
                                                              6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13};
        for (;;) {
            const std::uint16_t symbol = literals.decode(bits_);
            if (symbol < 256) {
                room(1);
                out_ += static_cast<char>(symbol);
                continue;
            }
            if (symbol == 256) return;
            if (symbol - 257U >= length_base.size()) broken("a length in it is none");
            const std::size_t length = length_base[symbol - 257U] + bits_.take(length_extra[symbol - 257U]);
            const std::uint16_t from = distances.decode(bits_);
            if (from >= distance_base.size()) broken("a distance in it is none");
            const std::size_t distance = distance_base[from] + bits_.take(distance_extra[from]);
            if (distance > out_.size() - begin_) broken("it refers to what is before its beginning");
            room(length);
            for (std::size_t i = 0; i < length; ++i) out_ += out_[out_.size() - distance];
        }
    }

    void room(std::size_t count) const {
        if (out_.size() + count > max_bytes_) too_large(max_bytes_);
    }

    Bits& bits_;
    std::string& out_;
    std::uint64_t max_bytes_;
    std::size_t begin_;
};

std::uint32_t crc32(std::string_view bytes) {
    constexpr auto table = [] {
        std::array<std::uint32_t, 256> made{};
        for (std::uint32_t i = 0; i < 256; ++i) {
            std::uint32_t value = i;
            for (int bit = 0; bit < 8; ++bit) value = value & 1U ? 0xEDB88320U ^ (value >> 1U) : value >> 1U;
            made[i] = value;
        }
        return made;
    }();
    std::uint32_t crc = 0xFFFFFFFFU;
    for (const char c : bytes) crc = table[(crc ^ static_cast<unsigned char>(c)) & 0xFFU] ^ (crc >> 8U);
    return ~crc;
}

/// Passes the header of a gzip member; returns what follows.
std::string_view past_header(std::string_view bytes) {
    const auto flags = static_cast<unsigned char>(bytes.size() > 3 ? bytes[3] : 0);
    const auto skip = [&](std::size_t count) {
        if (bytes.size() < count) broken("it ends in its header");
        bytes.remove_prefix(count);
    };
    const auto skip_text = [&] {
        const std::size_t end = bytes.find('\0');
        skip(end == std::string_view::npos ? bytes.size() + 1 : end + 1);
    };
    if (bytes.size() > 2 && bytes[2] != 8) broken("it is packed in no known way");
    skip(10);
    if (flags & 4U) {
        if (bytes.size() < 2) broken("it ends in its header");
        skip(2U + static_cast<unsigned char>(bytes[0]) + 256U * static_cast<unsigned char>(bytes[1]));
    }
    if (flags & 8U) skip_text();
    if (flags & 16U) skip_text();
    if (flags & 2U) skip(2);
    return bytes;
}

std::string from_utf16(std::string_view bytes, bool big_endian, std::uint64_t max_bytes) {
    std::string text;
    text.reserve(bytes.size() / 2);
    const auto unit = [&](std::size_t at) {
        const auto first = static_cast<unsigned char>(bytes[at]), second = static_cast<unsigned char>(bytes[at + 1]);
        return static_cast<std::uint32_t>(big_endian ? first << 8U | second : second << 8U | first);
    };
    // A last odd byte is left aside: it is what is left of a line's end that was written as one byte.
    for (std::size_t at = 0; at + 1 < bytes.size(); at += 2) {
        std::uint32_t point = unit(at);
        if (point >= 0xD800 && point < 0xE000) {
            const bool pair =
                point < 0xDC00 && at + 3 < bytes.size() && unit(at + 2) >= 0xDC00 && unit(at + 2) < 0xE000;
            if (!pair) {
                raise(Code::data_document, "the text begins as UTF-16, but has half a character at byte " +
                                               std::to_string(at) +
                                               "; allowed: UTF-8, or UTF-16 with its byte order mark");
            }
            point = 0x10000 + ((point - 0xD800) << 10U) + (unit(at + 2) - 0xDC00);
            at += 2;
        }
        const auto put = [&](std::uint32_t value) { text += static_cast<char>(value); };
        if (point < 0x80) {
            put(point);
        } else if (point < 0x800) {
            put(0xC0 | point >> 6U), put(0x80 | (point & 0x3F));
        } else if (point < 0x10000) {
            put(0xE0 | point >> 12U), put(0x80 | (point >> 6U & 0x3F)), put(0x80 | (point & 0x3F));
        } else {
            put(0xF0 | point >> 18U), put(0x80 | (point >> 12U & 0x3F)), put(0x80 | (point >> 6U & 0x3F)),
                put(0x80 | (point & 0x3F));
        }
        if (text.size() > max_bytes) too_large(max_bytes);
    }
    return text;
}

/// Formats that are told by their first bytes and that nothing here reads.
void refuse_binary(std::string_view bytes) {
    struct Known {
        std::string_view begin, name, remedy;
    };
    using namespace std::string_view_literals;
    constexpr std::array<Known, 7> known{
        {{"PK\x03\x04"sv, "a zip archive or an Excel workbook (.xlsx)", "save the sheet as CSV, or unpack the archive"},
         {"\xD0\xCF\x11\xE0"sv, "an old Excel workbook (.xls)", "save the sheet as CSV"},
         {"\x28\xB5\x2F\xFD"sv, "packed with zstd", "unpack it: zstd -dc FILE | serinus judge PLAN -"},
         {"\xFD"
          "7zXZ"sv,
          "packed with xz", "unpack it: xz -dc FILE | serinus judge PLAN -"},
         {"BZh"sv, "packed with bzip2", "unpack it: bzip2 -dc FILE | serinus judge PLAN -"},
         {"PAR1"sv, "a Parquet file", "read it in Python: serinus.judge(plan, pandas.read_parquet(FILE))"},
         {"ARROW1"sv, "an Arrow file", "read it in Python: serinus.judge(plan, pandas.read_feather(FILE))"}}};
    for (const Known& format : known) {
        if (!bytes.starts_with(format.begin)) continue;
        raise(Code::data_format, "the data are " + std::string(format.name) +
                                     ", which is not read; allowed: CSV, JSON "
                                     "and their like, also packed with gzip; " +
                                     std::string(format.remedy));
    }
}

}  // namespace

std::string gunzip(std::string_view bytes, std::uint64_t max_bytes) {
    std::string out;
    do {
        if (!bytes.starts_with("\x1F\x8B")) broken("something else stands behind it");
        Bits bits(past_header(bytes));
        const std::size_t begin = out.size();
        Inflate(bits, out, max_bytes).run();
        bits.align();
        const std::string_view rest = bits.rest();
        if (rest.size() < 8) broken("it ends in the middle");
        const auto word = [&](std::size_t at) {
            std::uint32_t value = 0;
            for (std::size_t i = 4; i-- > 0;) value = value << 8U | static_cast<unsigned char>(rest[at + i]);
            return value;
        };
        const std::string_view member = std::string_view(out).substr(begin);
        if (word(4) != static_cast<std::uint32_t>(member.size())) broken("its length is another one than it says");
        if (word(0) != crc32(member)) broken("its checksum is another one than it says");
        bytes = rest.substr(8);
        while (!bytes.empty() && bytes.front() == '\0') bytes.remove_prefix(1);  // padding, as of a tape
    } while (!bytes.empty());
    return out;
}

std::string_view to_utf8(std::string_view bytes, std::string& storage, std::uint64_t max_bytes) {
    if (bytes.size() > max_bytes) {
        raise(Code::data_size,
              "the text has " + std::to_string(bytes.size()) + " bytes; allowed: at most " + std::to_string(max_bytes));
    }
    if (bytes.starts_with("\x1F\x8B")) {
        std::string unpacked = gunzip(bytes, max_bytes);
        if (unpacked.starts_with("\xFF\xFE") || unpacked.starts_with("\xFE\xFF")) {
            storage = from_utf16(std::string_view(unpacked).substr(2), unpacked.front() == '\xFE', max_bytes);
        } else {
            storage.swap(unpacked);
        }
        bytes = storage;
    } else if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF")) {
        storage = from_utf16(bytes.substr(2), bytes.front() == '\xFE', max_bytes);
        bytes = storage;
    } else {
        refuse_binary(bytes);
    }
    if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
    return bytes;
}

}  // namespace io
}  // namespace v0
}  // namespace serinus
