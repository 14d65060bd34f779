using Dunlin.Telemetry.Link;
using Dunlin.Telemetry.Power;
using Microsoft.Extensions.Configuration;

namespace Dunlin.Agent.Configuration;

/// <summary>
/// The configuration of the agent: <c>/etc/dunlin/agent.json</c>, then <c>DUNLIN_Section__Key</c> environment variables,
/// then <c>--set Section:Key=value</c>; the later wins.
/// </summary>
internal static class AgentConfiguration
{
    public const string DefaultFile = "/etc/dunlin/agent.json";
    private const string EnvironmentPrefix = "DUNLIN_";

    private static readonly string[] Sections =
    [
        DeviceOptions.Section, CameraOptions.Section, RaceOptions.Section, ResultOptions.Section,
        TelemetryOptions.Section, UpdateOptions.Section, CommandOptions.Section, LoggingOptions.Section, MqttOptions.Section, PowerOptions.Section,
    ];

    /// <param name="file">Null means <see cref="DefaultFile"/>, which may be absent.</param>
    /// <param name="settings"><c>Section:Key=value</c> each.</param>
    /// <exception cref="ConfigurationException">A file, key or assignment is not as it must be.</exception>
    public static IConfigurationRoot Load(string? file, IReadOnlyList<string> settings)
    {
        if (file is not null && !File.Exists(file))
            throw new ConfigurationException($"The configuration file '{file}' does not exist; name another with --config.");

        RefuseUnknownVariables();
        var builder = new ConfigurationBuilder()
            .AddJsonFile(Path.GetFullPath(file ?? DefaultFile), optional: true, reloadOnChange: false)
            .AddEnvironmentVariables(EnvironmentPrefix)
            .AddInMemoryCollection(settings.Select(Assignment).GroupBy(pair => pair.Key, StringComparer.OrdinalIgnoreCase).Select(repeated => repeated.Last()));
        try
        {
            var configuration = builder.Build();
            RefuseUnknownSections(configuration);
            return configuration;
        }
        catch (UnauthorizedAccessException)
        {
            throw new ConfigurationException($"The configuration file '{file ?? DefaultFile}' cannot be read by this user; run this as root, let the user read it, or name another file with --config.");
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            throw new ConfigurationException($"The configuration file '{file ?? DefaultFile}' cannot be read: {(e.InnerException ?? e).Message}");
        }
    }

    private static void RefuseUnknownSections(IConfigurationRoot configuration)
    {
        foreach (var section in configuration.GetChildren())
        {
            if (Sections.Contains(section.Key, StringComparer.OrdinalIgnoreCase)) continue;
            if (section.Value is not null && Environment.GetEnvironmentVariable(EnvironmentPrefix + section.Key) is not null) continue;
            throw new ConfigurationException($"There is no section '{section.Key}'; sections are {string.Join(", ", Sections)} (/usr/share/doc/dunlin-agent/configuration.md).");
        }
    }

    /// <summary>What begins like a section and is no key would be passed over in silence. Other names are other programs'.</summary>
    private static void RefuseUnknownVariables()
    {
        foreach (var name in Environment.GetEnvironmentVariables().Keys.Cast<string>().Where(name => name.StartsWith(EnvironmentPrefix, StringComparison.OrdinalIgnoreCase)))
        {
            var rest = name[EnvironmentPrefix.Length..];
            if (!rest.StartsWith('_') && rest.Contains("__", StringComparison.Ordinal)) continue;
            rest = rest.TrimStart('_');
            if (Sections.FirstOrDefault(section => rest.StartsWith(section, StringComparison.OrdinalIgnoreCase)) is not { } section) continue;
            var key = rest[section.Length..].Replace("_", "", StringComparison.Ordinal);
            throw new ConfigurationException($"The environment variable {name} is no key of the configuration; write {EnvironmentPrefix}{section}__{(key.Length > 0 ? key : "Key")} (/usr/share/doc/dunlin-agent/configuration.md), or unset it.");
        }
    }

    private static KeyValuePair<string, string?> Assignment(string setting)
    {
        var equals = setting.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0 || !setting.AsSpan(0, equals).Contains(':'))
            throw new ConfigurationException($"'--set {setting}' is no assignment; write --set Section:Key=value.");
        return new(setting[..equals], setting[(equals + 1)..]);
    }
}

/// <summary>The configuration is not as it must be; the process exits with 78 (EX_CONFIG of sysexits.h).</summary>
internal sealed class ConfigurationException(string message) : Exception(message)
{
    public const int ExitCode = 78;
}
