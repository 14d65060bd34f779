using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dunlin.Agent.Updates;
using Dunlin.Bundles.State;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;
using Dunlin.Runtime.Racing;
using Spectre.Console;

namespace Dunlin.Agent.Commands;

/// <summary>What lies in the state directory, for a person at the board; the service need not run.</summary>
internal static class StatusCommand
{
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print it as JSON." };
        var command = new Command("status", "Shows active and last good release, the update under way or the last one, trust and quarantine.") { json };
        command.SetAction((result, cancellationToken) => AgentCommand.Guard(() =>
        {
            var status = Read(AgentCommand.StateOf(AgentCommand.OptionsOf(result)));
            if (result.GetValue(json)) Console.WriteLine(JsonSerializer.Serialize(status, StatusJson.Default.BoardStatus));
            else Write(status);
            return Task.FromResult(status.Problems.Count == 0 ? 0 : 1);
        }, cancellationToken));
        return command;
    }

    internal static BoardStatus Read(StateLayout layout)
    {
        var files = new StateFiles(layout);
        var releases = new ReleaseStore(layout, BoardFacts.Read());
        var (root, journal, floors, quarantine, seen) = (files.ReadRoot(), files.ReadJournal(), files.ReadFloors(), files.ReadQuarantine(), files.ReadSeen());
        var last = journal.Value?.Directive is { } directive ? seen.Value?.Directives.GetValueOrDefault(directive) : null;
        return new BoardStatus
        {
            StateDirectory = layout.Root,
            Active = Describe(releases, layout, releases.Active),
            LastGood = Describe(releases, layout, releases.LastGood),
            State = journal.Value?.State ?? UpdateState.Idle,
            LastResult = last?.Result,
            Directive = journal.Value?.Directive,
            Release = journal.Value?.Release,
            Reason = journal.Value?.Reason,
            Detail = journal.Value?.Detail,
            Tries = journal.Value?.Tries ?? 0,
            Transitions = journal.Value?.Transitions ?? 0,
            RootVersion = root.Value is { } envelope ? Root.Format.Read(envelope.Payload.Span).Value?.Version : null,
            Counter = floors.Value?.Counter,
            SecurityEpoch = floors.Value?.SecurityEpoch,
            TimeFloor = floors.Value?.Time,
            FreshUntil = files.ReadFresh().Value is { } fresh ? Fresh.Format.Read(fresh.Payload.Span).Value?.Expires : null,
            Quarantine = quarantine.Value?.Entries ?? [],
            Problems = [.. ((string?[])[root.Problem, journal.Problem, floors.Problem, quarantine.Problem, seen.Problem, .. DamageOf(releases)]).OfType<string>()],
        };
    }

    private static IEnumerable<string?> DamageOf(ReleaseStore releases) =>
        ((Digest?[])[releases.Active, releases.LastGood]).OfType<Digest>().Distinct().Select(id => releases.Open(id).Problem);

    private static StatusRelease? Describe(ReleaseStore releases, StateLayout layout, Digest? id)
    {
        if (id is not { } release) return null;
        var manifest = File.Exists(layout.ReleaseManifest(release)) ? Manifest.Format.Read(File.ReadAllBytes(layout.ReleaseManifest(release))).Value : null;
        return new StatusRelease(release, manifest?.Name, manifest?.Label, releases.Open(release).IsComplete);
    }

    private static void Write(BoardStatus status)
    {
        var table = new Grid().AddColumn().AddColumn();
        void Row(string name, string value) => table.AddRow(Markup.Escape(name), Markup.Escape(value));
        Row("state directory", status.StateDirectory);
        Row("active", Text(status.Active, "none: the factory bundle of the configuration runs, if there is one"));
        Row("last good", Text(status.LastGood, "none was committed yet"));
        Row("update", status.State == UpdateState.Idle && status.LastResult is { } result ? $"idle; the last one: {Name(result)}" : Name(status.State));
        if (status.Release is { } release) Row("  release", release.ToString());
        if (status.Directive is { } directive) Row("  directive", directive.ToString());
        if (status.Reason is { } reason) Row("  reason", $"{reason}: {status.Detail} (/usr/share/doc/dunlin-agent/operations.md)");
        if (status.State == UpdateState.Trial) Row("  starts", $"{status.Tries}");
        Row("root", status.RootVersion is { } version ? $"{version}" : "none: this device is not enrolled");
        Row("floors", status.Counter is { } counter ? $"counter {counter}, security epoch {status.SecurityEpoch}, time {status.TimeFloor:u}" : "none yet");
        Row("fresh until", status.FreshUntil is { } until ? $"{until:u}" : "no fresh document has come");
        foreach (var entry in status.Quarantine) Row("quarantine", $"{entry.Digest} {entry.Reason}: {entry.Detail}");
        foreach (var problem in status.Problems) Row("problem", problem);
        AnsiConsole.Write(table);
    }

    private static string Text(StatusRelease? release, string none) =>
        release is null ? none : $"{release.Name} {release.Label}, {release.Id}{(release.IsComplete ? "" : ", DAMAGED")}";

    private static string Name(UpdateState state) => JsonSerializer.Serialize(state, StatusJson.Default.UpdateState).Trim('"');
}

/// <summary><c>dunlin-agent status --json</c>.</summary>
internal sealed record BoardStatus
{
    public required string StateDirectory { get; init; }
    public StatusRelease? Active { get; init; }
    public StatusRelease? LastGood { get; init; }
    public required UpdateState State { get; init; }

    /// <summary>How the journal's directive ended; null while it is under way.</summary>
    public UpdateState? LastResult { get; init; }
    public Digest? Directive { get; init; }
    public Digest? Release { get; init; }
    public string? Reason { get; init; }
    public string? Detail { get; init; }
    public required int Tries { get; init; }
    public required int Transitions { get; init; }
    public int? RootVersion { get; init; }
    public long? Counter { get; init; }
    public int? SecurityEpoch { get; init; }
    public DateTimeOffset? TimeFloor { get; init; }
    public DateTimeOffset? FreshUntil { get; init; }
    public required IReadOnlyList<QuarantineEntry> Quarantine { get; init; }

    /// <summary>What is wrong with the files, each in a sentence; the exit code is 1 if anything is.</summary>
    public required IReadOnlyList<string> Problems { get; init; }
}

internal sealed record StatusRelease(Digest Id, string? Name, string? Label, bool IsComplete);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(BoardStatus))]
internal sealed partial class StatusJson : JsonSerializerContext;
