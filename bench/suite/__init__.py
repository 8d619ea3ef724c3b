"""The modules of bench/run.

    main        the order of things
    options     the command line, and what the two forms differ in
    peers       the programs that are compared, and their versions
    machine     what it runs on, and whether it is quiet
    setups      what a proxy is asked to do; plugins and how their effect is seen
    configs     a setup as each proxy's configuration
    process     a proxy that runs: start, CPU time, memory, end
    load        what clients do: the own program, and h2load for HTTP/2
    measure     interleaved rounds
    figures     medians, intervals, ratios, targets
    cases       loads, contenders, and what is compared with what
    once        what is measured apart from rounds: memory, starts
    latency     the slowest of a thousand answers, at a fixed rate
    workers     two workers against one
    growth      cost against connections, routes, clusters, plugins, headers
    plots       SVG
    report      the table, and docs/benchmarks.md
"""
