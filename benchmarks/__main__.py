"""`make bench`: every benchmark in turn."""

from benchmarks import (
    bench_analysis,
    bench_cts,
    bench_many,
    bench_rating,
    bench_report,
    bench_scale,
)

bench_rating.main()
bench_many.main([])
bench_many.main(["--postgres"])
bench_scale.main([])
bench_report.main([])
bench_analysis.main([])
bench_cts.main()
