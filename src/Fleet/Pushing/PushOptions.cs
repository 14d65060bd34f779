using System.CommandLine;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Signing;

namespace Dunlin.Fleet.Pushing;

/// <summary>The options of <c>push</c> and <c>revoke release</c> that say how devices are to take a release.</summary>
internal sealed class PushOptions
{
    private static readonly TimeSpan Slack = TimeSpan.FromMinutes(30);
    private readonly Option<string[]> _to = new("--to") { Description = "Device ids, or 'all': those enrolled or pushed to before, and those that the broker knows.", AllowMultipleArgumentsPerToken = true, HelpName = "DEVICE" };
    private readonly Option<string?> _objective = new("--objective") { Description = "What the race makes small: latency, energy or product; default: as each device is configured." };
    private readonly Option<string> _trial = Durations.NewOption("--trial", "How long the release must run well before it is kept.", "10m");
    private readonly Option<int> _minimumRuns = new("--minimum-runs") { Description = "Inferences that the trial must have made.", DefaultValueFactory = _ => 100 };
    private readonly Option<double?> _maximumP95 = new("--max-p95") { Description = "Milliseconds from capture to result that 95 of 100 frames must keep in the trial; default: as the race promised.", HelpName = "MS" };
    private readonly Option<string[]> _source = new("--source") { Description = $"Where devices fetch it, best first, at most 3: {SourceText.Rule}; default: where it was published.", HelpName = "SOURCE" };
    private readonly Option<string> _expires = Durations.NewOption("--expires", "How long devices may still begin with it.", "7d");
    private readonly Option<bool> _wait = new("--wait") { Description = "Stay until each device has committed it, refused it or rolled back; the exit code says which." };
    private readonly Option<string?> _timeout = new("--timeout") { Description = "With --wait: how long to stay, for example 1h; default: twice the trial and half an hour.", HelpName = "TIME" };

    public void AddTo(System.CommandLine.Command command)
    {
        _to.Validators.Add(result =>
        {
            foreach (var device in result.GetValueOrDefault<string[]>() ?? [])
                if (!DeviceName.IsValid(device)) result.AddError($"--to '{device}' must be 'all' or match {DeviceName.Rule}.");
        });
        _objective.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } text && ParseObjective(text) is null) result.AddError("--objective must be latency, energy or product.");
        });
        _trial.Validators.Add(result =>
        {
            // What is refused when it is signed would be refused when the other release is revoked already.
            if (Durations.TryParse(result.GetValueOrDefault<string>(), out var trial) && trial.TotalSeconds > DirectivePolicy.MaximumTrialSeconds) result.AddError($"--trial must be at most {DirectivePolicy.MaximumTrialSeconds / 86_400}d.");
        });
        _minimumRuns.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 1) result.AddError("--minimum-runs must be 1 or more.");
        });
        _maximumP95.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double?>() is not (null or (> 0 and < double.PositiveInfinity))) result.AddError("--max-p95 must be above 0 ms.");
        });
        _source.Validators.Add(result =>
        {
            var sources = result.GetValueOrDefault<string[]>() ?? [];
            if (sources.Length > 3) result.AddError("--source may be given three times at most.");
            foreach (var source in sources)
                if (!SourceText.TryParse(source, out _)) result.AddError($"--source '{source}' must be {SourceText.Rule}, without user, query and fragment.");
        });
        _timeout.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } text && !Durations.TryParse(text, out _)) result.AddError("--timeout must be a whole number above 0 with a unit, for example 90s, 10m, 2h or 7d.");
        });
        foreach (var option in (Option[])[_to, _objective, _trial, _minimumRuns, _maximumP95, _source, _expires, _wait, _timeout]) command.Add(option);
    }

    /// <summary>Empty if none was named.</summary>
    public IReadOnlyList<string> Devices(ParseResult arguments) => arguments.GetValue(_to) ?? [];

    public IReadOnlyList<ArtifactSource> Sources(ParseResult arguments) =>
        [.. (arguments.GetValue(_source) ?? []).Select(text => SourceText.TryParse(text, out var source) ? source : null).OfType<ArtifactSource>()];

    public DirectivePolicy Policy(ParseResult arguments) => new()
    {
        TrialSeconds = (int)Durations.Get(arguments, _trial).TotalSeconds,
        MinimumRuns = arguments.GetValue(_minimumRuns),
        MaximumP95Milliseconds = arguments.GetValue(_maximumP95),
        Objective = arguments.GetValue(_objective) is { } text ? ParseObjective(text) : null,
    };

    public TimeSpan Validity(ParseResult arguments) => Durations.Get(arguments, _expires);

    public Waiting Waiting(ParseResult arguments) => new(
        arguments.GetValue(_wait),
        Durations.TryParse(arguments.GetValue(_timeout), out var patience) ? patience : (2 * Durations.Get(arguments, _trial)) + Slack);

    private static Objective? ParseObjective(string text) => text switch
    {
        "latency" => Objective.Latency,
        "energy" => Objective.Energy,
        "product" => Objective.Product,
        _ => null,
    };
}
