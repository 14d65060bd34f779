using System.CommandLine;

namespace Dunlin.Fleet.Commanding;

/// <summary>The file for a picture. An older one is overwritten: the newest look is what was asked for.</summary>
internal sealed class PictureOption(string kind, string extension)
{
    private readonly Option<FileInfo?> _out = new("--out") { Description = $"The file to write, over an older one; default: {kind}-DEVICE.{extension} in this folder.", HelpName = "FILE" };

    public void AddTo(Command command)
    {
        _out.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<FileInfo?>() is { Directory.Exists: false } file) result.AddError($"--out: there is no folder '{file.DirectoryName}'; make it, or name another.");
        });
        command.Add(_out);
    }

    public string PathFor(ParseResult arguments, string device) => arguments.GetValue(_out)?.FullName ?? Path.GetFullPath($"{kind}-{device}.{extension}");
}
