using System.CommandLine;
using Dunlin.Fleet.Enrolment;
using Dunlin.Telemetry.Link;

namespace Dunlin.Fleet.Connecting;

/// <summary>The options of all verbs that speak to the broker.</summary>
internal sealed class BrokerOptions
{
    private readonly Option<string> _broker = new("--broker") { Description = "host or host:port; the port is 1883, with TLS 8883, with the operator's certificate of --keys 8884.", DefaultValueFactory = _ => "localhost" };
    private readonly Option<bool> _tls = new("--tls") { Description = "Encrypt, and check the broker's certificate; authority and own certificate are those of --keys unless others are named." };
    private readonly Option<string> _ca = new("--ca") { Description = "PEM file of the authorities to trust; implies --tls.", DefaultValueFactory = _ => "" };
    private readonly Option<string> _certificate = new("--cert") { Description = "PEM client certificate; implies --tls.", DefaultValueFactory = _ => "" };
    private readonly Option<string> _certificateKey = new("--cert-key") { Description = "PEM key of --cert.", DefaultValueFactory = _ => "" };
    private readonly Option<string> _user = new("--user") { Description = "User name.", DefaultValueFactory = _ => "" };
    private readonly Option<string> _password = new("--password-file") { Description = "File whose first line is the password.", DefaultValueFactory = _ => "" };

    public void AddTo(Command command)
    {
        _broker.Validators.Add(result =>
        {
            if (!TryParseBroker(result.GetValueOrDefault<string>() ?? "", out _, out _)) result.AddError("--broker must be host or host:port with a port of 1 to 65535.");
        });
        foreach (var option in (Option[])[_broker, _tls, _ca, _certificate, _certificateKey, _user, _password]) command.Add(option);
        command.Validators.Add(result =>
        {
            if (result.GetValue(_certificate) is { Length: > 0 } != result.GetValue(_certificateKey) is { Length: > 0 }) result.AddError("--cert and --cert-key go together.");
        });
    }

    private static FleetException NoList(string keys) => new(ExitCodes.InputMissing,
        $"The list of the revoked '{Path.Combine(keys, CertificateAuthority.RevocationFile)}' is not here: a broker whose certificate was taken back would be believed. Bring it back, the broker has a copy; or trust without one by --ca {Path.Combine(keys, CertificateAuthority.CertificateFile)}.");

    private static string? InFolder(string keys, string name) => Path.Combine(keys, name) is var path && File.Exists(path) ? path : null;

    /// <summary>Whether a broker was named.</summary>
    public bool IsGiven(ParseResult arguments) => arguments.GetResult(_broker) is { Implicit: false };

    /// <param name="arguments">As parsed.</param>
    /// <param name="keys">The key folder, whose own authority and operator's certificate are taken where none is named; null: none.</param>
    /// <exception cref="FleetException">The folder's authority is to be trusted, and its list of the revoked is not here.</exception>
    public MqttOptions Of(ParseResult arguments, string? keys = null)
    {
        _ = TryParseBroker(arguments.GetValue(_broker)!, out var host, out var port);
        var options = new MqttOptions
        {
            Host = host, Port = port, CaFile = arguments.GetValue(_ca)!, CertificateFile = arguments.GetValue(_certificate)!,
            KeyFile = arguments.GetValue(_certificateKey)!, UserName = arguments.GetValue(_user)!, PasswordFile = arguments.GetValue(_password)!,
        };
        options.Tls = arguments.GetValue(_tls) || (options.CaFile + options.CertificateFile).Length > 0;
        if (!options.Tls || keys is null) return options;
        if (options.CaFile.Length == 0 && InFolder(keys, CertificateAuthority.CertificateFile) is { } authority)
            (options.CaFile, options.CrlFile) = (authority, InFolder(keys, CertificateAuthority.RevocationFile) ?? throw NoList(keys));
        if (options.CertificateFile.Length == 0 && options.UserName.Length == 0 && InFolder(keys, OperatorCertificate.CertificateFile) is { } certificate)
        {
            (options.CertificateFile, options.KeyFile) = (certificate, Path.Combine(keys, OperatorCertificate.KeyFile));
            if (port == 0) options.Port = OperatorCertificate.DefaultPort;
        }

        return options;
    }

    internal static bool TryParseBroker(string text, out string host, out int port)
    {
        (host, port) = (text, 0);
        var colon = text.LastIndexOf(':');
        if (colon < 0 || text.EndsWith(']')) return text.Length > 0;
        host = text[..colon].Trim('[', ']');
        return host.Length > 0 && int.TryParse(text[(colon + 1)..], out port) && port is >= 1 and <= 65535;
    }
}
