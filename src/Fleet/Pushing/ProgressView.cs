using System.Globalization;
using Dunlin.Contracts.Updates;
using Spectre.Console;

namespace Dunlin.Fleet.Pushing;

/// <summary>Shows a push: a live table at a terminal, a line per change elsewhere, nothing with <c>--json</c> until the end.</summary>
internal sealed class ProgressView(PushProgress progress, Speaker speaker, IAnsiConsole? live, TimeProvider time)
{
    private const int MaximumRowCount = 40;

    private static readonly TimeSpan Refresh = TimeSpan.FromMilliseconds(250);
    private readonly Dictionary<string, UpdateState?> _written = [];

    /// <summary>Until the task has ended; its failure is thrown after the table is put away.</summary>
    public async Task ShowAsync(Task waiting)
    {
        if (live is not null)
        {
            await live.Live(Table()).StartAsync(async context =>
            {
                while (!waiting.IsCompleted)
                {
                    context.UpdateTarget(Table());
                    await Task.WhenAny(waiting, Task.Delay(Refresh, time));
                }
                context.UpdateTarget(Table());
            });
        }
        await waiting;
    }

    /// <summary>Lines begin with the first change after this.</summary>
    public void Attach()
    {
        if (live is null && !speaker.IsJson) progress.Changed += WriteLine;
    }

    public static string Word(UpdateState? state) => state switch
    {
        null => "waiting for the device",
        UpdateState.RolledBack => "rolled back",
        { } known => known.ToString().ToLowerInvariant(),
    };

    // One line per state: how far it is within one would be many.
    private void WriteLine(DeviceProgress device)
    {
        if (_written.TryGetValue(device.Device, out var last) && last == device.State) return;
        _written[device.Device] = device.State;
        speaker.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{time.GetLocalNow():HH:mm:ss} {device.Device} {Word(device.State)}{Explanation(device, ": ")}"));
        speaker.Output.Flush();
    }

    private static string Explanation(DeviceProgress device, string before) =>
        device.Reason is null && device.Detail is null ? "" : before + string.Join(" — ", ((string?[])[device.Reason, device.Detail]).OfType<string>());

    private Table Table()
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("device", "directive", "state", "why");
        var devices = progress.Devices;
        // The unfinished and the failed come first where not all fit.
        foreach (var device in devices.OrderBy(device => device.State == UpdateState.Committed).Take(MaximumRowCount))
        {
            var colour = device.State switch
            {
                UpdateState.Committed => "green",
                UpdateState.RolledBack or UpdateState.Rejected => "red",
                UpdateState.Cancelled => "yellow",
                _ => "default",
            };
            table.AddRow(new Text(device.Device), new Text(device.Counter.ToString(CultureInfo.InvariantCulture)), new Markup($"[{colour}]{Word(device.State)}{(device.Progress is { } share && !device.HasEnded ? string.Create(CultureInfo.InvariantCulture, $" {100 * share:0} %") : "")}[/]"), new Text(Explanation(device, "")));
        }
        var committed = devices.Count(device => device.State == UpdateState.Committed);
        return table.Caption(string.Create(CultureInfo.InvariantCulture, $"{committed} of {devices.Count} committed · Ctrl-C leaves the devices to it"));
    }
}
