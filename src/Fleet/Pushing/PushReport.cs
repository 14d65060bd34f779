using System.Globalization;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Updates;

namespace Dunlin.Fleet.Pushing;

/// <summary>What was pushed, and how it went so far.</summary>
internal sealed record PushReport(string Title, Digest Release, IReadOnlyList<string> Sources, IReadOnlyList<PushedDevice> Devices, int ExitCode)
{
    public static PushReport Of(string title, Digest release, IReadOnlyList<string> sources, PushProgress progress, int exitCode) => new(
        title, release, sources,
        [.. progress.Devices.Select(device => new PushedDevice(device.Device, device.Counter, device.Directive, device.State, device.Reason, device.Detail))],
        exitCode);

    public string ToText(bool hasWaited)
    {
        var committed = Devices.Count(device => device.State == UpdateState.Committed);
        return hasWaited
            ? string.Create(CultureInfo.InvariantCulture, $"'{Title}': {committed} of {Devices.Count} devices committed it{Others()}.")
            : string.Create(CultureInfo.InvariantCulture, $"'{Title}' ({ReleaseChoice.Short(Release)}) is desired of {Devices.Count} devices: {string.Join(", ", Devices.Take(10).Select(device => $"{device.Device} ({device.Counter})"))}{(Devices.Count > 10 ? ", …" : "")}. Follow them with --wait or 'dunlin-fleet watch'.");
    }

    private string Others() => string.Concat(Devices.Where(device => device.State != UpdateState.Committed).GroupBy(device => device.State)
        .Select(group => $"; {ProgressView.Word(group.Key)}: {string.Join(", ", group.Select(device => device.Reason is null ? device.Device : $"{device.Device} ({device.Reason})"))}"));
}

/// <summary>One device of a push; its state is null until it has said anything of its directive.</summary>
internal sealed record PushedDevice(string Device, long Counter, Digest Directive, UpdateState? State, string? Reason, string? Detail);
