using System.Globalization;
using Dunlin.Agent.Configuration;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting.Compact;

namespace Dunlin.Agent;

/// <summary>Serilog, configured in code because its settings package does not survive trimming.</summary>
internal static class Logging
{
    private const string Line = "{Timestamp:HH:mm:ss.fff} {Level:u3} {Message:lj}{NewLine}{Exception}";

    public static LoggingLevelSwitch LevelOf(LoggingOptions options) => new(Enum.Parse<LogEventLevel>(options.Level, ignoreCase: true));

    public static void Configure(LoggerConfiguration logger, LoggingOptions options, LoggingLevelSwitch level)
    {
        logger
            .MinimumLevel.ControlledBy(level)
            .MinimumLevel.Override("Microsoft", LogEventLevel.Warning)
            .Enrich.FromLogContext();
        if (options.Format.Equals("json", StringComparison.OrdinalIgnoreCase))
            logger.WriteTo.Console(new CompactJsonFormatter(), standardErrorFromLevel: LogEventLevel.Verbose);
        else
            logger.WriteTo.Console(outputTemplate: Line, formatProvider: CultureInfo.InvariantCulture, standardErrorFromLevel: LogEventLevel.Verbose);
    }
}
