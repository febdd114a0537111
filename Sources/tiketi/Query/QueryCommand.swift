import ArgumentParser

struct QueryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query",
        abstract: "Ask for numbers.",
        discussion: """
            The same code answers the HTTP API: the numbers are equal, and --format json prints the same JSON.
            Completions for bash, zsh and fish: tiketi --generate-completion-script bash.
            ANALYTICS_DATABASE_URL says where to ask; with REDIS_URL today's page views are seconds fresh.

            Examples:
              tiketi query traffic --artist artist_123 --granularity weekly
              tiketi query traffic --from 2025-12-01 --to 2025-12-07 --format csv
              tiketi query traffic --artist artist_123 --compare year
              tiketi query revenue --period monthly --currency USD
              tiketi query traffic --artist artist_123 --chart line
              tiketi query dashboard --watch 2
              tiketi query revenue --period monthly --explain
              tiketi query top --by path --artist artist_123
              tiketi query funnel --event event_7
              tiketi query events --artist artist_123 --format ndjson
            """,
        subcommands: [
            TrafficCommand.self, RevenueCommand.self, TopCommand.self, DashboardCommand.self, FunnelCommand.self,
            EventsCommand.self,
        ])
}
