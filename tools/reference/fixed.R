# The cases of data/reference/fixed that are R's: Rscript fixed.R CASES.json OUTPUTS.json, called by fixed.py.
library(jsonlite)
arguments <- commandArgs(trailingOnly = TRUE)
cases <- read_json(arguments[1])
numbers <- function(values) vapply(values, function(v) if (is.character(v)) as.numeric(sub("Infinity", "Inf", v)) else as.numeric(v), 0)
text <- function(v) if (is.nan(v) || is.na(v)) "NaN" else if (v == Inf) "Infinity" else if (v == -Inf) "-Infinity" else v
out <- function(v) if (length(v) == 1) text(unname(v)) else lapply(unname(v), text)
has <- function(package) requireNamespace(package, quietly = TRUE)

one <- function(case) {
  parts <- strsplit(case$source, " ", fixed = TRUE)[[1]]
  fn <- parts[2]; package <- if (length(parts) > 2) parts[3] else "stats"
  if (!has(package)) return(list(unavailable = paste("no R package", package)))
  i <- case$inputs; o <- case$options
  if (!is.null(case$data)) { x <- numbers(case$data$canary); y <- numbers(case$data$baseline) }
  key <- paste(package, fn)
  suppressWarnings(switch(key,
    "stats wilcox.test" = {
      r <- wilcox.test(x, y, exact = o$exact, correct = o$correct, alternative = o$alternative,
                       conf.int = isTRUE(o$conf.int), conf.level = if (is.null(o$conf.level)) .95 else o$conf.level)
      if (isTRUE(o$conf.int)) list(conf.int = out(r$conf.int), estimate = out(r$estimate), achieved = out(attr(r$conf.int, "conf.level")))
      else list(statistic = out(r$statistic), p.value = out(r$p.value))
    },
    "exactRankTests wilcox.exact" = {
      r <- exactRankTests::wilcox.exact(x, y, alternative = o$alternative, exact = TRUE, conf.int = isTRUE(o$conf.int))
      full <- list(statistic = out(r$statistic), p.value = out(r$p.value))
      if (isTRUE(o$conf.int)) c(full, list(conf.int = out(r$conf.int), estimate = out(r$estimate))) else full
    },
    "coin wilcox_test" = {
      g <- factor(rep(c("x", "y"), c(length(x), length(y))))
      r <- coin::wilcox_test(v ~ g, data = data.frame(v = c(x, y), g = g), distribution = "exact", alternative = o$alternative)
      list(z = out(coin::statistic(r)), p.value = out(coin::pvalue(r)))
    },
    "effectsize rank_biserial" = list(r = out(effectsize::rank_biserial(x, y, verbose = FALSE)$r_rank_biserial)),
    "stats ks.test" = { r <- ks.test(x, y, exact = o$exact, alternative = o$alternative); list(statistic = out(r$statistic), p.value = out(r$p.value)) },
    "kSamples ad.test" = {
      r <- kSamples::ad.test(x, y, method = "asymptotic")$ad
      list(AD1 = out(r[1, 1]), T1 = out(r[1, 2]), p1 = out(r[1, 3]), AD2 = out(r[2, 1]), T2 = out(r[2, 2]), p2 = out(r[2, 3]), sig = out(kSamples::ad.test(x, y, method = "asymptotic")$sig))
    },
    "stats t.test" = {
      r <- t.test(x, y, alternative = o$alternative, var.equal = FALSE)
      list(statistic = out(r$statistic), p.value = out(r$p.value), df = out(r$parameter), conf.int = out(r$conf.int), estimate = out(r$estimate))
    },
    "stats quantile" = list(q = out(quantile(x, numbers(o$probs), type = o$type, names = FALSE))),
    "stats fisher.test" = {
      r <- fisher.test(rbind(c(i$count1, i$count2), c(i$nobs1 - i$count1, i$nobs2 - i$count2)), alternative = o$alternative)
      list(p.value = out(r$p.value), conf.int = out(r$conf.int), estimate = out(r$estimate))
    },
    "stats binom.test" = { r <- binom.test(i$count, i$nobs, p = o$p, conf.level = o$conf.level); list(p.value = out(r$p.value), conf.int = out(r$conf.int)) },
    "stats poisson.test" = if (isTRUE(o$one_sample)) list(conf.int = out(poisson.test(i$count, i$exposure)$conf.int)) else {
      r <- poisson.test(c(i$count1, i$count2), c(i$exposure1, i$exposure2), r = o$r, alternative = o$alternative)
      list(p.value = out(r$p.value), conf.int = out(r$conf.int), estimate = out(r$estimate))
    },
    "stats p.adjust" = list(adjusted = out(p.adjust(numbers(i$p), o$method))),
    "stats power.t.test" = list(n = out(power.t.test(delta = o$delta, sd = o$sd, power = o$power, sig.level = o$sig.level, alternative = o$alternative, strict = o$strict)$n)),
    "stats power.prop.test" = list(n = out(power.prop.test(p1 = o$p1, p2 = o$p2, power = o$power, sig.level = o$sig.level, alternative = o$alternative)$n)),
    "stats prop.test" = {
      r <- prop.test(c(i$count1, i$count2), c(i$nobs1, i$nobs2), alternative = o$alternative, correct = o$correct)
      list(statistic = out(r$statistic), p.value = out(r$p.value), conf.int = out(r$conf.int))
    },
    list(unavailable = paste("fixed.R does not know", key))))
}
answers <- lapply(cases, function(case) tryCatch(one(case), error = function(e) list(failed = conditionMessage(e))))
write_json(answers, arguments[2], auto_unbox = TRUE, digits = NA)
