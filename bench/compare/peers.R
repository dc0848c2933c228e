# R's tests, for the comparison. Reads a line "NAME SIZE TIMES" after the other and answers each with the seconds of
# processor time that it took.
suppressPackageStartupMessages({
  library(exactRankTests)
  library(coin)
})
set.seed(1)
continuous <- function(size) exp(rnorm(size))
counts <- function(size) round(rnorm(size, 40, 6.3))
test_with_coin <- function(y, x) {
  data <- data.frame(value = c(y, x), arm = factor(rep(c("baseline", "canary"), c(length(y), length(x)))))
  pvalue(wilcox_test(value ~ arm, data = data, distribution = "exact"))
}
works <- list(
  wilcox = list(continuous, function(y, x) wilcox.test(x, y, exact = FALSE)),
  wilcox_exact = list(continuous, function(y, x) wilcox.test(x, y, exact = TRUE)),
  hodges_lehmann = list(continuous, function(y, x) wilcox.test(x, y, conf.int = TRUE, conf.level = 0.98)),
  exact_ties_exactranktests = list(counts, function(y, x) wilcox.exact(x, y, exact = TRUE)),
  exact_ties_coin = list(counts, test_with_coin)
)
pairs <- list()
input <- file("stdin", "r")
while (length(line <- readLines(input, n = 1)) > 0) {
  words <- strsplit(line, " ")[[1]]
  size <- as.integer(words[2])
  work <- works[[words[1]]]
  key <- paste(words[1], size)
  if (is.null(pairs[[key]])) pairs[[key]] <- lapply(1:20, function(i) list(work[[1]](size), work[[1]](size)))
  data <- pairs[[key]]
  test <- work[[2]]
  start <- proc.time()
  for (i in seq_len(as.integer(words[3]))) {
    pair <- data[[1 + i %% 20]]
    suppressWarnings(test(pair[[1]], pair[[2]]))
  }
  took <- proc.time() - start
  cat(took[["user.self"]] + took[["sys.self"]], "\n", sep = "")
  flush(stdout())
}
