using System.Globalization;
using System.Reflection;

namespace Dunlin.Agent;

internal static class AgentVersion
{
    /// <summary>For example 0.1.0.</summary>
    public static string Text { get; } =
        typeof(AgentVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    /// <summary>The day of the build, which no signed document or certificate may have expired before.</summary>
    public static DateTimeOffset BuildTime { get; } = DateTimeOffset.Parse(
        typeof(AgentVersion).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(metadata => metadata.Key == "BuildDay").Value!,
        CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
}
