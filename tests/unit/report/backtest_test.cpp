#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/report/backtest.hpp>

namespace serinus {
namespace {

Backtest make_run() {
    Backtest run;
    run.plan = "payments";
    run.promoted = 1;
    run.held = 1;
    run.rolled_back = 1;
    run.false_alarms = {1, 2, 0.0126, 0.987421};
    run.misses = {0, 1, 0, 0.975};
    run.metrics = {{.name = "errors", .rolled_back = 1, .alone = 1, .good = 1, .held = 1},
                   {.name = "memory", .without_data = 2}};
    run.releases = {{.name = "r1", .label = ReleaseLabel::good, .decision = Action::promote, .minutes = 10},
                    {.name = "r2\x1b[31m",
                     .label = ReleaseLabel::good,
                     .decision = Action::rollback,
                     .minutes = 2.5,
                     .decided_by = {"errors"},
                     .reasons = {{Code::harm_proven, "errors", {}, false}}},
                    {.name = "r3",
                     .label = ReleaseLabel::bad,
                     .decision = Action::hold,
                     .minutes = 90,
                     .decided_by = {"errors"},
                     .reasons = {{Code::waiting, "", {}, false}}}};
    return run;
}

TEST(BacktestText, SaysWhatWouldHaveBeenDecided) {
    Backtest tried = make_run();
    tried.change = "alpha=0.01";
    tried.releases[1].decision = Action::promote;
    EXPECT_EQ(report::text(std::vector{make_run(), tried}),
              R"(BACK-TEST  payments   3 releases   1 promoted, 1 held, 1 rolled back

  wrong    1 of 2 good releases rolled back (50 %, between 1.26 % and 98.8 %)
           0 of 1 bad release promoted (0 %, between 0 % and 97.5 %)

  errors   rolled back 1 (alone 1, good ones 1); held 1
  memory   never decided; no data in 2

  r2?[31m  good  rollback  after 2m30s, stage 1: errors.harm_proven
  r3       bad   hold      after 1h30m, stage 1: waiting for errors

  try      alpha=0.01: 1 of 3 releases decided differently
           1 of 2 good releases rolled back (50 %, between 1.26 % and 98.8 %)
           0 of 1 bad release promoted (0 %, between 0 % and 97.5 %)
           r2?[31m, good: rollback, would be promote
)");
}

TEST(BacktestText, WithoutLabelsItDoesNotCountWhatWasWrong) {
    Backtest run = make_run();
    run.false_alarms = run.misses = {};
    EXPECT_NE(report::text(std::vector{run}).find("how often it was wrong is not known"), std::string::npos);
    EXPECT_EQ(report::text(std::vector<Backtest>{}), "");
}

}  // namespace
}  // namespace serinus
