#pragma once
/// \file
/// Mixture martingales (what a sum of increments is worth as evidence that their mean is not zero, at every time at
/// once) and their boundaries. docs/concepts/boundaries.md says which one when.

#include <serinus/sequential/bernoulli_interval.hpp>
#include <serinus/sequential/beta_binomial.hpp>
#include <serinus/sequential/empirical_process.hpp>
#include <serinus/sequential/gamma_exponential.hpp>
#include <serinus/sequential/gamma_poisson.hpp>
#include <serinus/sequential/normal_mixture.hpp>
#include <serinus/sequential/stitching.hpp>
