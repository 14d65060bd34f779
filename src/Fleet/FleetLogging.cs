using System.Globalization;
using Microsoft.Extensions.Logging;
using Serilog;
using Serilog.Events;
using Serilog.Extensions.Logging;
using Serilog.Formatting.Compact;

namespace Dunlin.Fleet;

/// <summary>Serilog on standard error: everything for <c>serve</c>, warnings only for commands that end by themselves.</summary>
internal static class FleetLogging
{
    private const string Line = "{Timestamp:HH:mm:ss} {Level:u3} {Message:lj}{NewLine}{Exception}";

    public static ILoggerFactory Create(bool isVerbose, bool isJson)
    {
        var configuration = new LoggerConfiguration().MinimumLevel.Is(isVerbose ? LogEventLevel.Information : LogEventLevel.Warning);
        configuration = isJson
            ? configuration.WriteTo.Console(new CompactJsonFormatter(), standardErrorFromLevel: LogEventLevel.Verbose)
            : configuration.WriteTo.Console(outputTemplate: Line, formatProvider: CultureInfo.InvariantCulture, standardErrorFromLevel: LogEventLevel.Verbose);
        return new SerilogLoggerFactory(configuration.CreateLogger(), dispose: true);
    }
}
