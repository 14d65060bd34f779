using System.Text.Json;
using Dunlin.Agent.Cameras;
using Dunlin.Contracts.Race;
using Dunlin.Telemetry;
using Dunlin.Telemetry.Power;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

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
        TelemetryOptions.Section, UpdateOptions.Section, CommandOptions.Section, LoggingOptions.Section, "Mqtt", "Power",
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
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"The configuration file '{file ?? DefaultFile}' cannot be read: {(e.InnerException ?? e).Message}");
        }
    }

    public static void AddAgentOptions(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton<IValidateOptions<DeviceOptions>, DeviceOptionsValidator>();
        services.AddSingleton<IValidateOptions<CameraOptions>, CameraOptionsValidator>();
        services.AddSingleton<IValidateOptions<RaceOptions>, RaceOptionsValidator>();
        services.AddSingleton<IValidateOptions<ResultOptions>, ResultOptionsValidator>();
        services.AddSingleton<IValidateOptions<TelemetryOptions>, TelemetryOptionsValidator>();
        services.AddSingleton<IValidateOptions<UpdateOptions>, UpdateOptionsValidator>();
        services.AddSingleton<IValidateOptions<LoggingOptions>, LoggingOptionsValidator>();
        services.AddClosedOptions<DeviceOptions>().Bind(configuration.GetSection(DeviceOptions.Section), Strict).ValidateOnStart();
        services.AddClosedOptions<CameraOptions>().Bind(configuration.GetSection(CameraOptions.Section), Strict).ValidateOnStart();
        services.AddClosedOptions<RaceOptions>().Bind(configuration.GetSection(RaceOptions.Section), Strict).ValidateOnStart();
        services.AddClosedOptions<ResultOptions>().Bind(configuration.GetSection(ResultOptions.Section), Strict).ValidateOnStart();
        services.AddClosedOptions<TelemetryOptions>().Bind(configuration.GetSection(TelemetryOptions.Section), Strict)
            .Validate<IOptions<PowerOptions>>(IsWindowKept, $"{nameof(TelemetryOptions.WindowSeconds)}: must hold at most {PowerOptions.MostReadingsPerWindow} readings at Power:SamplesPerSecond").ValidateOnStart();
        services.AddClosedOptions<UpdateOptions>().Bind(configuration.GetSection(UpdateOptions.Section), Strict).ValidateOnStart();
        services.AddClosedOptions<CommandOptions>().Bind(configuration.GetSection(CommandOptions.Section), Strict).ValidateOnStart();
        services.AddClosedOptions<LoggingOptions>().Bind(configuration.GetSection(LoggingOptions.Section), Strict).ValidateOnStart();
    }

    /// <summary>Validates every option; call once before anything starts.</summary>
    /// <exception cref="ConfigurationException">Each failure with key, value and rule.</exception>
    public static void Validate(IServiceProvider services, IConfiguration configuration)
    {
        try
        {
            services.GetRequiredService<IStartupValidator>().Validate();
        }
        catch (OptionsValidationException e)
        {
            throw new ConfigurationException(Describe(e, configuration));
        }
        catch (AggregateException e)
        {
            throw new ConfigurationException(string.Join(Environment.NewLine, e.Flatten().InnerExceptions.Select(inner => Describe(inner, configuration)).Distinct()));
        }
        catch (InvalidOperationException e)
        {
            throw new ConfigurationException(Describe(e, configuration));
        }
    }

    private static string Describe(Exception e, IConfiguration configuration)
    {
        if (e is not OptionsValidationException failed) return WithRule(e.Message);
        var section = failed.OptionsType.Name.Replace("Options", "", StringComparison.Ordinal);
        section = Sections.FirstOrDefault(s => s.StartsWith(section, StringComparison.Ordinal)) ?? section;
        return string.Join(Environment.NewLine, failed.Failures.Select(failure =>
        {
            var colon = failure.IndexOf(": ", StringComparison.Ordinal);
            if (colon < 0) return failure;
            var key = $"{section}:{failure[..colon]}";
            var rule = failure[(colon + 2)..].Replace($"The field {failed.OptionsType.Name}.{failure[..colon]} ", "", StringComparison.Ordinal).TrimEnd('.');
            return $"{key} {rule}; it is '{WithoutPassword(configuration[key] ?? "")}'.";
        }));
    }

    /// <summary>What the binder cannot convert, it says with key, value and type.</summary>
    private static string WithRule(string message)
    {
        const string mark = "to type '";
        var at = message.LastIndexOf(mark, StringComparison.Ordinal);
        if (at < 0) return message;
        var type = message[(at + mark.Length)..].TrimEnd('.', '\'', ']');
        var rule = type[(type.LastIndexOfAny(['.', '[']) + 1)..] switch
        {
            nameof(Int32) or nameof(Int64) => "a whole number",
            nameof(Double) => "a number",
            nameof(Boolean) => "true or false",
            nameof(Objective) => Names<Objective>(),
            nameof(StreamEncoding) => Names<StreamEncoding>(),
            nameof(PowerKind) => Names<PowerKind>(),
            _ => null,
        };
        return rule is null ? message : $"{message.TrimEnd('.')}; write {rule}.";
    }

    private static string Names<T>()
        where T : struct, Enum => string.Join(", ", Enum.GetNames<T>().Select(JsonNamingPolicy.CamelCase.ConvertName));

    /// <summary>A URL may hold one, also where none belongs; so may <c>user:password@host</c>.</summary>
    private static string WithoutPassword(string value)
    {
        const string mark = "://";
        return value.Contains(mark, StringComparison.Ordinal) ? UrlRedaction.Redact(value) : UrlRedaction.Redact(mark + value)[mark.Length..];
    }

    private static void RefuseUnknownSections(IConfigurationRoot configuration)
    {
        foreach (var section in configuration.GetChildren())
        {
            if (Sections.Contains(section.Key, StringComparer.OrdinalIgnoreCase)) continue;
            if (section.Value is not null && Environment.GetEnvironmentVariable(EnvironmentPrefix + section.Key) is not null) continue;
            throw new ConfigurationException($"There is no section '{section.Key}'; sections are {string.Join(", ", Sections)} (docs/configuration.md).");
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
            throw new ConfigurationException($"The environment variable {name} is no key of the configuration; write {EnvironmentPrefix}{section}__{(key.Length > 0 ? key : "Key")} (docs/configuration.md), or unset it.");
        }
    }

    private static KeyValuePair<string, string?> Assignment(string setting)
    {
        var equals = setting.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0 || !setting.AsSpan(0, equals).Contains(':'))
            throw new ConfigurationException($"'--set {setting}' is no assignment; write --set Section:Key=value.");
        return new(setting[..equals], setting[(equals + 1)..]);
    }

    /// <summary>The meters' own rates fit into any window.</summary>
    private static bool IsWindowKept(TelemetryOptions telemetry, IOptions<PowerOptions> power) =>
        telemetry.WindowSeconds * (power.Value.SamplesPerSecond ?? 0) <= PowerOptions.MostReadingsPerWindow;

    private static void Strict(BinderOptions options) => options.ErrorOnUnknownConfiguration = true;
}

/// <summary>The configuration is not as it must be; the process exits with 78 (EX_CONFIG of sysexits.h).</summary>
internal sealed class ConfigurationException(string message) : Exception(message)
{
    public const int ExitCode = 78;
}
