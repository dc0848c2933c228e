// Compiled three times: it must pass as it is, and must fail when a member is forgotten, or two have the same name.
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <serinus/core/describe.hpp>

struct Stage {
    double traffic = 0;
    std::optional<std::chrono::milliseconds> max = std::nullopt;
    std::vector<std::string> notes = {};

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("traffic", self.traffic);
        visit("max", self.max);
#if defined(REPEAT_A_NAME)
        visit("max", self.notes);
#elif !defined(FORGET_A_MEMBER)
        visit("notes", self.notes);
#endif
    }
};
static_assert(serinus::described_whole<Stage>());

int main() { return 0; }
