"""`make bench`: every benchmark in turn."""

from benchmarks import bench_analysis, bench_cts, bench_rating, bench_report

bench_rating.main()
bench_report.main([])
bench_analysis.main([])
bench_cts.main()
