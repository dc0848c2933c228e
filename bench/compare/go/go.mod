module serinus/bench/compare

go 1.19

require github.com/aclements/go-moremath v0.0.0-20210112150236-f10218a38794
